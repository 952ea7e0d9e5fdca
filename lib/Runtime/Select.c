//===- Select.c - Chooses the code that an entry runs -------------*- C -*-===//
//
// Part of attn-mlir, under the Apache License v2.0 with LLVM Exceptions.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
// A library may hold code for several targets, best first. The first one whose
// features the processor has is taken, unless the caller or ATTN_TARGET names one.
//
//===----------------------------------------------------------------------===//

#include "Internal.h"

static bool runs(const attn_variant *variant, uint64_t features) { return !(variant->cpu_features & ~features); }

// Appends text to a list in a buffer, with ", " between; cuts silently, as messages do.
static size_t append(char *buffer, size_t room, size_t used, const char *text) {
  for (const char *part = used ? ", " : ""; *part && used + 1 < room; ++part)
    buffer[used++] = *part;
  for (; *text && used + 1 < room; ++text)
    buffer[used++] = *text;
  buffer[used] = 0;
  return used;
}

static void list_targets(const attn_entry_desc *entry, char *buffer, size_t room) {
  size_t used = 0;
  buffer[0] = 0;
  for (int32_t i = 0; i < entry->num_variants; ++i)
    used = append(buffer, room, used, entry->variants[i].target);
}

static attn_code select_entry(const attn_model_desc *model, const attn_entry_desc *entry, uint64_t features,
                              const char *target, const char *asker, const attn_variant **chosen, attn_error *error) {
  for (int32_t i = 0; i < entry->num_variants; ++i) {
    const attn_variant *variant = &entry->variants[i];
    if (target && strcmp(variant->target, target) != 0)
      continue;
    if (runs(variant, features)) {
      *chosen = variant;
      return ATTN_OK;
    }
    if (target)
      return attn_rt_fail(error, ATTN_ERROR_UNSUPPORTED, "model '%s': %s is '%s', which this processor cannot run",
                          model->name, asker, target);
  }
  char targets[256];
  list_targets(entry, targets, sizeof(targets));
  if (target)
    return attn_rt_fail(error, ATTN_ERROR_UNSUPPORTED, "model '%s': %s is '%s', but entry '%s' has code for %s only",
                        model->name, asker, target, entry->name, targets);
  return attn_rt_fail(error, ATTN_ERROR_UNSUPPORTED,
                      "model '%s', entry '%s': this processor can run none of its targets (%s)", model->name,
                      entry->name, targets);
}

attn_code attn_rt_select(const attn_model_desc *model, const char *target, const attn_variant **chosen,
                         attn_error *error) {
  const char *asker = "the option 'target'";
  if (!target) {
    asker = "ATTN_TARGET";
    target = getenv("ATTN_TARGET");
    if (target && !*target)
      target = NULL;
  }
  bool want_amx = false;
  for (uint32_t i = 0; i < model->num_entries; ++i)
    for (int32_t k = 0; k < model->entries[i].num_variants; ++k) {
      const attn_variant *variant = &model->entries[i].variants[k];
      if ((variant->cpu_features & ATTN_CPU_ANY_AMX) && (!target || strcmp(target, variant->target) == 0))
        want_amx = true;
    }
  uint64_t features = attn_rt_cpu_features(want_amx);
  for (uint32_t i = 0; i < model->num_entries; ++i) {
    attn_code code = select_entry(model, &model->entries[i], features, target, asker, &chosen[i], error);
    if (code)
      return code;
  }
  return ATTN_OK;
}
