//===- Pool.c - The threads that contexts share -------------------*- C -*-===//
//
// Part of attn-mlir, under the Apache License v2.0 with LLVM Exceptions.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
// One pool per copy of the runtime. The first run that wants more than one thread
// starts it, the last context to go joins it. Loops lie in a few fixed places, so
// several contexts can have one each at the same time, and a thread may look at a
// place at any time without anything being freed under it. Idle threads spin for
// about 50 us, since within a run the next loop is near, and then sleep.
//
// A forked child has this memory but none of the threads. Whoever enters the runtime
// compares the process id with the one that the pool belongs to and, in a child,
// begins with an empty pool.
//
//===----------------------------------------------------------------------===//

#include "Internal.h"

enum { MAX_JOBS = 8 };

typedef struct place {
  attn_rt_job job;
  atomic_bool taken;
  attn_rt_line lines[ATTN_MAX_THREADS];
} place;

static struct {
  _Atomic uint32_t lock;    // guards starting and stopping: 0 free, 1 held, 2 held and waited for
  _Atomic int32_t process;  // whose threads these are; 0: nobody's yet, -1: being reset
  _Atomic uint32_t epoch;   // grows when there is something to do
  _Atomic int32_t sleepers; // threads that need a futex wake
  _Atomic int32_t size;     // threads
  atomic_bool stop;
  int32_t contexts;
  pthread_t threads[ATTN_MAX_THREADS];
  place places[MAX_JOBS];
} pool;

static void lock(void) {
  uint32_t seen = 0;
  if (atomic_compare_exchange_strong_explicit(&pool.lock, &seen, 1, memory_order_acquire, memory_order_relaxed))
    return;
  while (atomic_exchange_explicit(&pool.lock, 2, memory_order_acquire) != 0)
    attn_rt_futex_wait(&pool.lock, 2);
}

static void unlock(void) {
  if (atomic_exchange_explicit(&pool.lock, 0, memory_order_release) == 2)
    attn_rt_futex_wake(&pool.lock, 1);
}

static void reset_after_fork(void) {
  atomic_store(&pool.lock, 0);
  atomic_store(&pool.sleepers, 0);
  atomic_store(&pool.size, 0);
  atomic_store(&pool.stop, false);
  for (int32_t i = 0; i < MAX_JOBS; ++i) {
    place *place = &pool.places[i];
    atomic_store(&place->job.open, 0);
    for (int32_t k = 0; k < ATTN_MAX_THREADS; ++k) {
      uint64_t ticket = atomic_load(&place->lines[k].ticket);
      if (ticket & 1)
        atomic_store(&place->lines[k].ticket, ticket + 1);
    }
    atomic_store(&place->taken, false);
  }
}

static void enter_process(void) {
  int32_t self = (int32_t)syscall(SYS_GETPID);
  for (;;) {
    int32_t owner = atomic_load_explicit(&pool.process, memory_order_acquire);
    if (owner == self)
      return;
    if (owner != -1 && atomic_compare_exchange_strong(&pool.process, &owner, -1)) {
      if (owner != 0)
        reset_after_fork();
      atomic_store_explicit(&pool.process, self, memory_order_release);
      return;
    }
    attn_rt_pause();
  }
}

static void wait_for_change(uint32_t seen) {
  uint64_t start = attn_rt_ticks();
  do {
    if (atomic_load_explicit(&pool.epoch, memory_order_acquire) != seen)
      return;
    attn_rt_pause();
  } while (attn_rt_ticks() - start < attn_rt_spin_ticks());
  // The kernel looks at epoch again; whoever changes it looks at sleepers afterwards.
  atomic_fetch_add(&pool.sleepers, 1);
  attn_rt_futex_wait(&pool.epoch, seen);
  atomic_fetch_sub(&pool.sleepers, 1);
}

static void *worker_main(void *argument) {
  enum { SET_NAME = 15 };
  int32_t slice = (int32_t)(intptr_t)argument; // the same thread takes the same slice in every loop, for its caches
  syscall(SYS_PRCTL, SET_NAME, "attn-worker", 0, 0, 0);
  for (;;) {
    uint32_t seen = atomic_load_explicit(&pool.epoch, memory_order_acquire);
    if (atomic_load_explicit(&pool.stop, memory_order_acquire))
      return NULL;
    bool worked = false;
    for (int32_t i = 0; i < MAX_JOBS; ++i)
      worked |= attn_rt_job_steal(&pool.places[i].job, slice);
    if (!worked)
      wait_for_change(seen);
  }
}

// The program's signal handlers are not to run on our threads: blocks all signals but those that a thread raises by its
// own fault, the profiler's, and those that the C library needs.
static uint64_t block_signals(void) {
  enum { SET_MASK = 2, ILL = 4, TRAP, ABRT, BUS, FPE, SEGV = 11, PROF = 27, SYS = 31, FIRST_INTERNAL };
  static const uint8_t open[] = {
      ILL, TRAP, ABRT, BUS, FPE, SEGV, PROF, SYS, FIRST_INTERNAL, FIRST_INTERNAL + 1, FIRST_INTERNAL + 2};
  uint64_t mask = ~UINT64_C(0), before = 0;
  for (size_t i = 0; i < sizeof(open); ++i)
    mask &= ~(UINT64_C(1) << (open[i] - 1));
  syscall(SYS_RT_SIGPROCMASK, SET_MASK, &mask, &before, sizeof(mask));
  return before;
}

static void restore_signals(uint64_t mask) {
  enum { SET_MASK = 2 };
  syscall(SYS_RT_SIGPROCMASK, SET_MASK, &mask, NULL, sizeof(mask));
}

static void stop_locked(void) {
  int32_t size = atomic_load(&pool.size);
  if (!size)
    return;
  atomic_store(&pool.stop, true);
  atomic_fetch_add(&pool.epoch, 1);
  attn_rt_futex_wake(&pool.epoch, INT32_MAX);
  for (int32_t i = 0; i < size; ++i)
    pthread_join(pool.threads[i], NULL);
  atomic_store(&pool.size, 0);
  atomic_store(&pool.stop, false);
}

void attn_rt_pool_attach(void) {
  enter_process();
  lock();
  ++pool.contexts;
  unlock();
}

void attn_rt_pool_detach(void) {
  enter_process();
  lock();
  if (--pool.contexts == 0)
    stop_locked();
  unlock();
}

// If threads cannot be had, those that are there do the work.
void attn_rt_pool_start(int32_t workers) {
  enter_process();
  if (workers > ATTN_MAX_THREADS - 1)
    workers = ATTN_MAX_THREADS - 1;
  if (atomic_load_explicit(&pool.size, memory_order_acquire) >= workers)
    return;
  lock();
  if (!pool.places[0].job.lines)
    for (int32_t i = 0; i < MAX_JOBS; ++i)
      pool.places[i].job.lines = pool.places[i].lines;
  uint64_t mask = block_signals();
  int32_t size = atomic_load(&pool.size);
  while (size < workers && pthread_create(&pool.threads[size], NULL, worker_main, (void *)(intptr_t)(size + 1)) == 0)
    ++size;
  restore_signals(mask);
  atomic_store_explicit(&pool.size, size, memory_order_release);
  unlock();
}

attn_rt_job *attn_rt_pool_take_job(void) {
  for (int32_t i = 0; i < MAX_JOBS; ++i) {
    place *place = &pool.places[i];
    if (!atomic_load_explicit(&place->taken, memory_order_relaxed) &&
        !atomic_exchange_explicit(&place->taken, true, memory_order_acquire))
      return &place->job;
  }
  return NULL;
}

void attn_rt_pool_give_job(attn_rt_job *job) {
  place *owner = (place *)((char *)job - offsetof(place, job));
  atomic_store_explicit(&owner->taken, false, memory_order_release);
}

void attn_rt_pool_notify(int32_t slices) {
  atomic_fetch_add(&pool.epoch, 1);
  if (atomic_load(&pool.sleepers) > 0)
    attn_rt_futex_wake(&pool.epoch, slices);
}

// A program that unloads the library with contexts left must not leave threads running in code that is gone.
__attribute__((destructor)) static void unload(void) {
  if (!atomic_load(&pool.process))
    return;
  enter_process();
  lock();
  stop_locked();
  unlock();
}
