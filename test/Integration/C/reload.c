/*===- reload.c - Load, run, unload, again ------------------------*- C -*-===*/
/*                                                                          */
/* Part of attn-mlir, under the Apache License v2.0 with LLVM Exceptions.   */
/* SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception                  */
/*                                                                          */
/* A program that knows no model at build time loads one fifty times by its */
/* only symbol that bears no prefix. Threads end with the last context, and */
/* the library leaves the process.                                          */
/*                                                                          */
/*===----------------------------------------------------------------------===*/

#define _POSIX_C_SOURCE 200809L

#include "attn/Runtime/ABI.h"
#include "sentence.h"
#include <dirent.h>
#include <dlfcn.h>
#include <time.h>

enum { TIMES = 50 };

static int count_threads(void) {
  DIR *tasks = opendir("/proc/self/task");
  int count = 0;
  for (struct dirent *entry; tasks && (entry = readdir(tasks));)
    count += entry->d_name[0] != '.';
  if (tasks)
    closedir(tasks);
  return count;
}

/* A joined thread takes a moment to leave the list. */
static int threads_become(int threads) {
  for (int i = 0; i < 5000 && count_threads() != threads; ++i)
    nanosleep(&(struct timespec){0, 1000000}, NULL);
  return count_threads() == threads;
}

static int count_mappings(void) {
  FILE *maps = fopen("/proc/self/maps", "r");
  int count = 0;
  for (int c; maps && (c = fgetc(maps)) != EOF;)
    count += c == '\n';
  if (maps)
    fclose(maps);
  return count;
}

int main(int argc, char **argv) {
  if (argc != 2)
    return 2;
  sentences *expected = NULL;
  int mappings = 0, threads = count_threads();
  for (int i = 0; i < TIMES; ++i) {
    void *handle = dlopen(argv[1], RTLD_NOW | RTLD_LOCAL);
    if (!handle) {
      printf("%s\n", dlerror());
      return 1;
    }
    const attn_library *(*get)(void);
    *(void **)&get = dlsym(handle, "attn_library_v1");
    if (!get)
      return 1;
    const attn_library *library = get();
    EXPECT(library->abi_version == ATTN_ABI_VERSION && library->size >= sizeof(attn_library));
    EXPECT(library->num_entries == 1 && library->entries[0].num_inputs == 3 && library->entries[0].num_outputs == 2);
    attn_context *first = create_or_exit(library), *second = create_or_exit(library);
    sentences *s = make_sentences(5, 20, 2);
    EXPECT(run_sentences(library, first, s, 3) == ATTN_OK);
    EXPECT(count_threads() > threads);
    if (expected)
      EXPECT(same_results(s, expected));
    library->destroy(first);
    spoil(s);
    EXPECT(run_sentences(library, second, s, 2) == ATTN_OK);
    library->destroy(second);
    EXPECT(threads_become(threads));
    EXPECT(dlclose(handle) == 0);
    EXPECT(!dlopen(argv[1], RTLD_NOW | RTLD_NOLOAD));
    if (expected)
      free_sentences(s);
    else
      expected = s;
    if (i == 9)
      mappings = count_mappings();
  }
  EXPECT(count_mappings() <= mappings);
  free_sentences(expected);
  return finish();
}
