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

// What there is to run code on.
typedef struct machine {
  uint64_t features;  // of the CPU
  int32_t capability; // of the GPU; 0: its code is not to be taken
  bool cpu;           // the CPU's code may be taken
  int32_t device;     // the GPU, for messages
  const char *name;
} machine;

static bool runs(const attn_variant *variant, const machine *machine) {
  const attn_gpu_code *gpu = variant->gpu;
  if (!gpu)
    return machine->cpu && !(variant->cpu_features & ~machine->features);
  return gpu->exact ? machine->capability == gpu->capability : machine->capability >= gpu->capability;
}

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

static attn_code select_entry(const attn_model_desc *model, const attn_entry_desc *entry, const machine *machine,
                              const char *target, const char *asker, const attn_variant **chosen, attn_error *error) {
  for (int32_t i = 0; i < entry->num_variants; ++i) {
    const attn_variant *variant = &entry->variants[i];
    if (target && strcmp(variant->target, target) != 0)
      continue;
    if (runs(variant, machine)) {
      *chosen = variant;
      return ATTN_OK;
    }
    if (target && variant->gpu && machine->cpu)
      return attn_rt_fail(error, ATTN_ERROR_UNSUPPORTED,
                          "model '%s': %s is '%s', but the option 'device_type' asks for the CPU's code", model->name,
                          asker, target);
    if (target)
      return attn_rt_fail(error, ATTN_ERROR_UNSUPPORTED, "model '%s': %s is '%s', which this %s cannot run",
                          model->name, asker, target, variant->gpu ? "GPU" : "processor");
  }
  char targets[256];
  list_targets(entry, targets, sizeof(targets));
  if (target)
    return attn_rt_fail(error, ATTN_ERROR_UNSUPPORTED, "model '%s': %s is '%s', but entry '%s' has code for %s only",
                        model->name, asker, target, entry->name, targets);
  if (!machine->cpu)
    return attn_rt_fail(
        error, ATTN_ERROR_UNSUPPORTED,
        "model '%s', entry '%s': GPU %d ('%s', compute capability %d.%d) can run none of its targets (%s)", model->name,
        entry->name, (int)machine->device, machine->name, (int)machine->capability / 10, (int)machine->capability % 10,
        targets);
  return attn_rt_fail(error, ATTN_ERROR_UNSUPPORTED,
                      "model '%s', entry '%s': this processor can run none of its targets (%s)", model->name,
                      entry->name, targets);
}

static attn_code select_all(const attn_model_desc *model, const machine *machine, const char *target, const char *asker,
                            const attn_variant **chosen, attn_error *error) {
  for (uint32_t i = 0; i < model->num_entries; ++i) {
    attn_code code = select_entry(model, &model->entries[i], machine, target, asker, &chosen[i], error);
    if (code)
      return code;
  }
  return ATTN_OK;
}

// Takes the GPU's code for all entries. All variants for GPUs have the same runtime.
static attn_code select_gpu(const attn_model_desc *model, const struct attn_gpu_runtime *runtime, int32_t device,
                            const char *target, const char *asker, const attn_variant **chosen, attn_error *error) {
  char name[64] = "";
  machine machine = {.device = device, .name = name};
  attn_code code = runtime->probe(model->name, device, &machine.capability, name, error);
  return code ? code : select_all(model, &machine, target, asker, chosen, error);
}

attn_code attn_rt_select(const attn_model_desc *model, const attn_create_options *options, const attn_variant **chosen,
                         attn_error *error) {
  const char *asker = "the option 'target'", *target = options->target;
  if (!target) {
    asker = "ATTN_TARGET";
    target = getenv("ATTN_TARGET");
    if (target && !*target)
      target = NULL;
  }
  bool want_amx = false;
  const struct attn_gpu_runtime *runtime = NULL;
  for (uint32_t i = 0; i < model->num_entries; ++i)
    for (int32_t k = 0; k < model->entries[i].num_variants; ++k) {
      const attn_variant *variant = &model->entries[i].variants[k];
      if (target && strcmp(target, variant->target) != 0)
        continue;
      if (variant->cpu_features & ATTN_CPU_ANY_AMX)
        want_amx = true;
      if (variant->gpu)
        runtime = variant->gpu->runtime;
    }
  if (options->device_type == kDLCUDA && !runtime)
    return attn_rt_fail(error, ATTN_ERROR_UNSUPPORTED,
                        "model '%s': the option 'device_type' asks for a GPU, but the library has no code for one",
                        model->name);
  if (options->device_type != kDLCPU && runtime) {
    attn_code code = select_gpu(model, runtime, options->device_id, target, asker, chosen, error);
    if (!code || options->device_type == kDLCUDA || !options->cpu_fallback)
      return code;
    if (error)
      attn_rt_clear_error(error);
  }
  machine machine = {.features = attn_rt_cpu_features(want_amx), .cpu = true};
  return select_all(model, &machine, target, asker, chosen, error);
}
