//===- Team.c - One parallel loop and its slices ------------------*- C -*-===//
//
// Part of attn-mlir, under the Apache License v2.0 with LLVM Exceptions.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
// A loop over n is cut into as many slices as there may be workers, each a contiguous
// range of whole grains. A thread claims a slice by its ticket, works through its own
// range in shrinking pieces, then helps with what is left of the others' ranges, one
// grain at a time. So the loop is complete once a single thread has come: slices
// never wait for one another, and a thread that comes late or not at all costs
// nothing but its help.
//
// At the end the calling thread closes the slices nobody has claimed and waits for
// those that somebody works on. A ticket only ever grows, so a thread that looks at a
// loop long gone cannot claim anything by mistake.
//
//===----------------------------------------------------------------------===//

#include "Internal.h"

static const uint32_t waiter_bit = UINT32_C(1) << 31; // in job->pending: the caller sleeps

static bool claim(attn_rt_line *line) {
  uint64_t ticket = atomic_load_explicit(&line->ticket, memory_order_relaxed);
  return (ticket & 1) && atomic_compare_exchange_strong_explicit(&line->ticket, &ticket, ticket + 1,
                                                                 memory_order_acquire, memory_order_relaxed);
}

// Takes some units of a range: a quarter of what is left of one's own, one of another's.
static bool take(attn_rt_line *line, bool own, int64_t *begin, int64_t *end) {
  int64_t first = atomic_load_explicit(&line->next, memory_order_relaxed);
  while (first < line->end) {
    int64_t count = own ? (line->end - first) / 4 : 1;
    count = count < 1 ? 1 : count;
    if (atomic_compare_exchange_weak_explicit(&line->next, &first, first + count, memory_order_relaxed,
                                              memory_order_relaxed)) {
      *begin = first;
      *end = first + count;
      return true;
    }
  }
  return false;
}

static void work(attn_rt_job *job, int32_t slice) {
  int32_t slices = atomic_load_explicit(&job->slices, memory_order_relaxed);
  int64_t units = job->lines[slices - 1].end;
  int32_t at = slice;
  for (int32_t k = 0; k < slices; ++k) {
    int64_t begin, end;
    while (take(&job->lines[at], k == 0, &begin, &end))
      job->task(job->frame, begin * job->grain, end < units ? end * job->grain : job->n, slice);
    at = at + 1 == slices ? 0 : at + 1;
  }
}

static void finish(attn_rt_job *job) {
  // After the last slice the caller goes on and the job may be gone: only the word's address is used then.
  if (atomic_fetch_sub_explicit(&job->pending, 1, memory_order_acq_rel) == (waiter_bit | 1))
    attn_rt_futex_wake(&job->pending, 1);
}

void attn_rt_job_execute(attn_rt_job *job, int32_t slice) {
  if (!claim(&job->lines[slice]))
    return;
  work(job, slice);
  finish(job);
}

bool attn_rt_job_steal(attn_rt_job *job, int32_t prefer) {
  if (atomic_load_explicit(&job->open, memory_order_acquire) <= 0)
    return false;
  int32_t slices = atomic_load_explicit(&job->slices, memory_order_relaxed);
  int32_t slice = prefer < slices ? prefer : 1;
  for (int32_t k = 1; k < slices; ++k) {
    if (claim(&job->lines[slice])) {
      atomic_fetch_sub_explicit(&job->open, 1, memory_order_relaxed);
      work(job, slice);
      finish(job);
      return true;
    }
    slice = slice + 1 == slices ? 1 : slice + 1;
  }
  return false;
}

static void open_job(attn_rt_job *job, attn_task task, void *frame, int64_t n, int64_t grain, int32_t slices) {
  int64_t units = (n - 1) / grain + 1, share = units / slices, extra = units % slices;
  job->task = task;
  job->frame = frame;
  job->n = n;
  job->grain = grain;
  atomic_store_explicit(&job->slices, slices, memory_order_relaxed);
  atomic_store_explicit(&job->pending, (uint32_t)slices, memory_order_relaxed);
  int64_t first = 0;
  for (int32_t i = 0; i < slices; ++i) {
    attn_rt_line *line = &job->lines[i];
    atomic_store_explicit(&line->next, first, memory_order_relaxed);
    first += share + (i < extra);
    line->end = first;
  }
  for (int32_t i = 0; i < slices; ++i) {
    uint64_t ticket = atomic_load_explicit(&job->lines[i].ticket, memory_order_relaxed);
    atomic_store_explicit(&job->lines[i].ticket, ticket + 1, memory_order_release);
  }
}

// Returns when every unit is done and no thread works on the job any more; says how many slices nobody had claimed.
static int32_t close_job(attn_rt_job *job) {
  int32_t slices = atomic_load_explicit(&job->slices, memory_order_relaxed);
  uint32_t unclaimed = 0;
  for (int32_t i = 0; i < slices; ++i)
    if (claim(&job->lines[i]) && unclaimed++ == 0)
      work(job, i);
  uint32_t pending = atomic_fetch_sub_explicit(&job->pending, unclaimed, memory_order_acq_rel) - unclaimed;
  for (uint64_t start = attn_rt_ticks(); pending && attn_rt_ticks() - start < attn_rt_spin_ticks();) {
    attn_rt_pause();
    pending = atomic_load_explicit(&job->pending, memory_order_acquire);
  }
  if (pending) {
    pending = atomic_fetch_or_explicit(&job->pending, waiter_bit, memory_order_acq_rel) | waiter_bit;
    while (pending != waiter_bit) {
      attn_rt_futex_wait(&job->pending, pending);
      pending = atomic_load_explicit(&job->pending, memory_order_acquire);
    }
  }
  return (int32_t)unclaimed;
}

static void callback_body(void *argument, int64_t slice) {
  attn_rt_job *job = argument;
  if (slice >= 0 && slice < atomic_load_explicit(&job->slices, memory_order_relaxed))
    attn_rt_job_execute(job, (int32_t)slice);
}

void attn_rt_parallel_for(const attn_call *call, attn_task task, void *frame, int64_t n, int64_t grain) {
  if (n <= 0)
    return;
  grain = grain < 1 ? 1 : grain;
  attn_rt_team *team = call->team;
  int64_t units = (n - 1) / grain + 1;
  int32_t slices = (int32_t)(units < call->threads ? units : call->threads);
  if (slices > 1 && team->parallel_for) {
    open_job(team->job, task, frame, n, grain, slices);
    team->parallel_for(team->user, slices, callback_body, team->job);
    close_job(team->job);
    return;
  }
  attn_rt_job *job = slices > 1 ? attn_rt_pool_take_job() : NULL;
  if (!job) {
    task(frame, 0, n, 0);
    return;
  }
  open_job(job, task, frame, n, grain, slices);
  atomic_store_explicit(&job->open, slices - 1, memory_order_release);
  attn_rt_pool_notify(slices - 1);
  attn_rt_job_execute(job, 0);
  atomic_fetch_sub_explicit(&job->open, close_job(job), memory_order_relaxed);
  attn_rt_pool_give_job(job);
}

void attn_rt_flag(const attn_call *call, int32_t code) {
  attn_rt_team *team = call->team;
  int32_t none = ATTN_OK;
  atomic_compare_exchange_strong_explicit(&team->flag, &none, code, memory_order_relaxed, memory_order_relaxed);
}
