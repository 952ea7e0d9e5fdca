//===- Fixture.h - A context on the test model --------------------*- C -*-===//
//
// Part of attn-mlir, under the Apache License v2.0 with LLVM Exceptions.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
// Calls that the tests repeat.
//
//===----------------------------------------------------------------------===//

#ifndef ATTN_TEST_RUNTIME_FIXTURE_H
#define ATTN_TEST_RUNTIME_FIXTURE_H

#include "TestModel.h"

#include "gtest/gtest.h"

namespace attn::test {

class RuntimeTest : public ::testing::Test {
protected:
  const attn_library *lib = attn_test_library();
  attn_context *ctx = nullptr;

  void SetUp() override {
    attn_error error;
    ASSERT_EQ(lib->create(lib, nullptr, &ctx, &error), ATTN_OK) << error.message;
  }
  void TearDown() override { lib->destroy(ctx); }

  const char *message() const { return lib->last_error(ctx)->message; }

  attn_code run(Entry entry, std::vector<const DLTensor *> inputs, std::vector<DLTensor *> outputs,
                const attn_run_options *options = nullptr) {
    return lib->run(ctx, entry, inputs.data(), inputs.size(), outputs.data(), outputs.size(), options);
  }

  static attn_run_options options(int32_t threads = 0) {
    attn_run_options result{};
    result.size = sizeof(result);
    result.threads = threads;
    return result;
  }

  /// Tensors of the entry Add: ids count 0, 1, ..., 9, 0, ...; x is 1/2 everywhere.
  struct AddTensors {
    Tensor<int64_t> ids;
    Tensor<float> x, y;
    Tensor<double> total;
    AddTensors(int64_t batch, int64_t sequence)
        : ids({batch, sequence}), x({batch, sequence, 4}, 0.5f), y({batch, sequence, 4}, -1.0f), total({batch}, -1.0) {
      for (size_t i = 0; i < ids.data.size(); ++i)
        ids.data[i] = static_cast<int64_t>(i % 10);
    }
    bool outputsUntouched() const {
      for (float value : y.data)
        if (value != -1.0f)
          return false;
      for (double value : total.data)
        if (value != -1.0)
          return false;
      return true;
    }
    void expectResult() {
      for (int64_t b = 0; b < y.shape[0]; ++b) {
        double sum = 0;
        for (int64_t s = 0; s < y.shape[1]; ++s)
          for (int64_t k = 0; k < 4; ++k) {
            float expected = x.at({b, s, k}) + static_cast<float>(ids.at({b, s}));
            ASSERT_EQ(y.at({b, s, k}), expected) << b << ' ' << s << ' ' << k;
            sum += static_cast<double>(expected);
          }
        ASSERT_EQ(total.at({b}), sum) << b;
      }
    }
  };

  attn_code runAdd(AddTensors &t, const attn_run_options *options = nullptr) {
    return run(Add, {&t.ids.dl, &t.x.dl}, {&t.y.dl, &t.total.dl}, options);
  }
};

} // namespace attn::test

#endif // ATTN_TEST_RUNTIME_FIXTURE_H
