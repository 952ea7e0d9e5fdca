//===- ThreadsTests.cpp - Loops, the pool, forks, several contexts *- C++ -*-===//
//
// Part of attn-mlir, under the Apache License v2.0 with LLVM Exceptions.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
// Every item of a loop runs once, whatever runs it; the pool comes and goes; a
// forked child works. Meant to be run under ThreadSanitizer as well.
//
//===----------------------------------------------------------------------===//

#include "Fixture.h"

#include <chrono>
#include <cstdio>
#include <dirent.h>
#include <string>
#include <sys/wait.h>
#include <thread>
#include <unistd.h>

using namespace attn::test;

#if defined(__has_feature)
#if __has_feature(thread_sanitizer)
// A child of a program with threads may start threads of its own here; TSan refuses that by default.
extern "C" const char *__tsan_default_options() { return "die_after_fork=0"; }
#endif
#endif

namespace {
class ThreadsTest : public RuntimeTest {
protected:
  void TearDown() override {
    EXPECT_FALSE(attn_test_probe()->workerClash);
    EXPECT_TRUE(attn_test_probe()->workspaceAligned);
    attn_test_probe()->workerClash = false;
    RuntimeTest::TearDown();
  }
  static attn_code count(const attn_library *lib, attn_context *ctx, int64_t n, const attn_run_options *opts,
                         int32_t *hits) {
    Tensor<int64_t> in({}, n);
    Tensor<int32_t> out({}, -1);
    const DLTensor *inputs[] = {&in.dl};
    DLTensor *outputs[] = {&out.dl};
    attn_code code = lib->run(ctx, Count, inputs, 1, outputs, 1, opts);
    *hits = out.data[0];
    return code;
  }
  void expectCount(int64_t n, const attn_run_options &opts) {
    int32_t hits = -1;
    ASSERT_EQ(count(lib, ctx, n, &opts, &hits), ATTN_OK) << message();
    ASSERT_EQ(hits, n) << "with " << opts.threads << " threads";
  }
};

// Threads of this process with the pool's name.
int poolThreads() {
  int found = 0;
  DIR *tasks = opendir("/proc/self/task");
  while (dirent *task = readdir(tasks)) {
    std::string path = std::string("/proc/self/task/") + task->d_name + "/comm";
    char name[32] = {};
    if (FILE *file = std::fopen(path.c_str(), "r")) {
      if (std::fgets(name, sizeof(name), file) && std::string(name) == "attn-worker\n")
        ++found;
      std::fclose(file);
    }
  }
  closedir(tasks);
  return found;
}

// A new thread takes a moment to name itself, a joined one to leave the list.
bool poolBecomes(int threads) {
  for (int i = 0; i < 5000 && poolThreads() != threads; ++i)
    std::this_thread::sleep_for(std::chrono::milliseconds(1));
  return poolThreads() == threads;
}
} // namespace

TEST_F(ThreadsTest, EveryItemOnce) {
  for (int32_t threads = 1; threads <= 4; ++threads)
    for (int64_t n : {0, 1, 2, 3, 4, 5, 7, 63, 64, 65, 1000, 65535})
      expectCount(n, options(threads));
  EXPECT_EQ(attn_test_probe()->lastThreads, 4);
}

TEST_F(ThreadsTest, MoreThreadsThanThereAre) {
  expectCount(3000, options(64));
  expectCount(3000, options(100000));
  EXPECT_EQ(attn_test_probe()->lastThreads, 256);
}

TEST_F(ThreadsTest, SameResultForAllThreadCounts) {
  for (int32_t threads = 1; threads <= 4; ++threads) {
    AddTensors t(37, 8);
    attn_run_options opts = options(threads);
    ASSERT_EQ(runAdd(t, &opts), ATTN_OK) << message();
    t.expectResult();
  }
}

TEST_F(ThreadsTest, SleepersWakeUp) {
  for (int i = 0; i < 20; ++i) {
    expectCount(100, options(3));
    std::this_thread::sleep_for(std::chrono::milliseconds(1));
  }
}

TEST_F(ThreadsTest, OneThreadStartsNone) {
  expectCount(100, options(1));
  EXPECT_TRUE(poolBecomes(0));
  attn_run_options opts = options(4);
  opts.parallel_for = [](void *, int64_t n, attn_parallel_body body, void *argument) {
    for (int64_t i = 0; i < n; ++i)
      body(argument, i);
  };
  expectCount(100, opts);
  EXPECT_TRUE(poolBecomes(0));
}

TEST_F(ThreadsTest, CallersParallelFor) {
  attn_run_options opts = options();
  int calls = 0;
  opts.parallel_for_data = &calls;
  for (int32_t threads = 1; threads <= 6; ++threads) {
    opts.threads = threads;
    // One thread per slice, in no order.
    opts.parallel_for = [](void *user, int64_t n, attn_parallel_body body, void *argument) {
      ++*static_cast<int *>(user);
      std::vector<std::thread> crew;
      for (int64_t i = 0; i < n; ++i)
        crew.emplace_back([=] { body(argument, i); });
      for (std::thread &thread : crew)
        thread.join();
    };
    expectCount(500, opts);
    // One after another, backwards, some twice.
    opts.parallel_for = [](void *user, int64_t n, attn_parallel_body body, void *argument) {
      ++*static_cast<int *>(user);
      for (int64_t i = n; i-- > 0;) {
        body(argument, i);
        body(argument, i);
      }
    };
    expectCount(500, opts);
    // Lazy and wrong: not all slices, and slices that do not exist.
    opts.parallel_for = [](void *, int64_t n, attn_parallel_body body, void *argument) {
      body(argument, -1);
      body(argument, n);
      body(argument, n / 2);
    };
    expectCount(500, opts);
    opts.parallel_for = [](void *, int64_t, attn_parallel_body, void *) {};
    expectCount(500, opts);
  }
  EXPECT_GT(calls, 0);
}

TEST_F(ThreadsTest, PoolGoesWithTheLastContext) {
  lib->destroy(ctx);
  ctx = nullptr;
  for (int round = 0; round < 100; ++round) {
    attn_context *first = nullptr, *second = nullptr;
    ASSERT_EQ(lib->create(lib, nullptr, &first, nullptr), ATTN_OK);
    ASSERT_EQ(lib->create(lib, nullptr, &second, nullptr), ATTN_OK);
    EXPECT_TRUE(poolBecomes(0));
    attn_run_options opts = options(1 + round % 4);
    int32_t hits;
    ASSERT_EQ(count(lib, first, 50, &opts, &hits), ATTN_OK);
    ASSERT_EQ(hits, 50);
    lib->destroy(first);
    EXPECT_TRUE(poolBecomes(round % 4));
    ASSERT_EQ(count(lib, second, 50, &opts, &hits), ATTN_OK);
    ASSERT_EQ(hits, 50);
    lib->destroy(second);
    EXPECT_TRUE(poolBecomes(0));
  }
  ASSERT_EQ(lib->create(lib, nullptr, &ctx, nullptr), ATTN_OK);
}

TEST_F(ThreadsTest, ContextsInManyThreads) {
  // More loops at once than the pool has places, and contexts that come and go meanwhile.
  std::atomic<int> wrong{0};
  std::vector<std::thread> crew;
  for (int worker = 0; worker < 12; ++worker)
    crew.emplace_back([&, worker] {
      for (int round = 0; round < 10; ++round) {
        attn_context *own = nullptr;
        if (lib->create(lib, nullptr, &own, nullptr) != ATTN_OK) {
          ++wrong;
          continue;
        }
        for (int i = 0; i < 5; ++i) {
          attn_run_options opts = options(1 + (worker + i) % 4);
          int32_t hits = -1;
          int64_t n = 10 + 37 * worker + i;
          if (count(lib, own, n, &opts, &hits) != ATTN_OK || hits != n)
            ++wrong;
        }
        lib->destroy(own);
      }
    });
  for (std::thread &thread : crew)
    thread.join();
  EXPECT_EQ(wrong, 0);
}

namespace {
std::atomic<int> phase{0};
}

TEST_F(ThreadsTest, OneContextInTwoThreadsIsRefused) {
  phase = 0;
  attn_test_probe()->duringRun = +[] {
    phase = 1;
    while (phase != 2)
      std::this_thread::yield();
  };
  attn_run_options opts = options(1);
  int32_t hits = -1, other = -1;
  std::thread busy([&] { count(lib, ctx, 20, &opts, &hits); });
  while (phase != 1)
    std::this_thread::yield();
  EXPECT_EQ(count(lib, ctx, 20, &opts, &other), ATTN_ERROR_BUSY);
  EXPECT_EQ(other, -1);
  size_t bytes;
  EXPECT_EQ(lib->workspace_size(ctx, Count, nullptr, 0, nullptr, 0, 0, &bytes), ATTN_ERROR_BUSY);
  attn_test_probe()->duringRun = nullptr;
  phase = 2;
  busy.join();
  EXPECT_EQ(hits, 20);
  expectCount(20, opts);
}

TEST_F(ThreadsTest, ForkedChildRuns) {
  attn_test_probe()->spin = 100;
  for (int before = 0; before < 2; ++before) {
    expectCount(200, options(before ? 3 : 1)); // with and without a pool in the parent
    for (int round = 0; round < 5; ++round) {
      pid_t child = fork();
      if (child == 0) {
        bool good = true;
        for (int32_t threads = 1; threads <= 4 && good; ++threads) {
          attn_run_options opts = options(threads);
          int32_t hits = -1;
          good = count(lib, ctx, 300, &opts, &hits) == ATTN_OK && hits == 300;
          attn_context *own = nullptr;
          good = good && lib->create(lib, nullptr, &own, nullptr) == ATTN_OK;
          good = good && count(lib, own, 300, &opts, &hits) == ATTN_OK && hits == 300;
          lib->destroy(own);
        }
        lib->destroy(ctx);
        _exit(good && poolBecomes(0) ? 0 : 1);
      }
      ASSERT_GT(child, 0);
      int status = -1;
      ASSERT_EQ(waitpid(child, &status, 0), child);
      EXPECT_TRUE(WIFEXITED(status) && WEXITSTATUS(status) == 0) << status;
      expectCount(200, options(3)); // and the parent's pool still works
    }
  }
  attn_test_probe()->spin = 0;
}

TEST_F(ThreadsTest, ForkWhileOthersRun) {
  std::atomic<bool> stop{false};
  std::atomic<int> wrong{0};
  std::thread runner([&] {
    attn_context *own = nullptr;
    lib->create(lib, nullptr, &own, nullptr);
    attn_run_options opts = options(3);
    while (!stop) {
      int32_t hits = -1;
      if (count(lib, own, 400, &opts, &hits) != ATTN_OK || hits != 400)
        ++wrong;
    }
    lib->destroy(own);
  });
  for (int round = 0; round < 10; ++round) {
    pid_t child = fork();
    if (child == 0) {
      attn_run_options opts = options(3);
      int32_t hits = -1;
      alarm(60);
      _exit(count(lib, ctx, 300, &opts, &hits) == ATTN_OK && hits == 300 ? 0 : 1);
    }
    int status = -1;
    ASSERT_EQ(waitpid(child, &status, 0), child);
    EXPECT_TRUE(WIFEXITED(status) && WEXITSTATUS(status) == 0) << status;
  }
  stop = true;
  runner.join();
  EXPECT_EQ(wrong, 0);
}
