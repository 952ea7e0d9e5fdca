//===- Explain.cpp - What was decided about each op -------------*- C++ -*-===//
//
// Part of attn-mlir, under the Apache License v2.0 with LLVM Exceptions.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//

#include "Explain.h"
#include "Diagnostics.h"
#include "mlir/IR/Remarks.h"
#include "llvm/ADT/StringExtras.h"
#include "llvm/ADT/StringMap.h"

using namespace mlir;
using namespace attn;

namespace {

/// Copies what a remark refers to: names are gone when the module is.
class Collector final : public remark::detail::MLIRRemarkStreamerBase {
public:
  explicit Collector(std::vector<Decision> &decisions) : decisions(decisions) {}

  void streamOptimizationRemark(const remark::detail::Remark &remark) override {
    Decision decision;
    setPlace(decision.place, remark.getLocation());
    // Category and subcategory come joined by a colon.
    auto [category, target] = remark.getCombinedCategoryName().split(':');
    category.consume_front("attn-");
    decision.stage = category.str();
    decision.target = target.str();
    decision.verdict = verdictOf(remark.getRemarkType()).str();
    for (const remark::detail::Remark::Arg &arg : remark.getArgs())
      decision.text += arg.val;
    decisions.push_back(std::move(decision));
  }

private:
  static StringRef verdictOf(llvm::remarks::Type type) {
    switch (type) {
    case llvm::remarks::Type::Passed:
      return "done";
    case llvm::remarks::Type::Missed:
    case llvm::remarks::Type::Failure:
      return "not done";
    default:
      return "note";
    }
  }

  std::vector<Decision> &decisions;
};

std::string placeOf(const Message &place) {
  if (!place.node.empty())
    return place.node;
  if (!place.file.empty())
    return place.file + ":" + std::to_string(place.line) + ":" + std::to_string(place.column);
  return "-";
}

} // namespace

LogicalResult attn::collectDecisions(MLIRContext &context, std::vector<Decision> &decisions) {
  remark::RemarkCategories categories;
  categories.passed = categories.missed = categories.failed = categories.analysis = "attn-.*";
  return remark::enableOptimizationRemarks(context, std::make_unique<Collector>(decisions),
                                           std::make_unique<remark::RemarkEmittingPolicyAll>(), categories);
}

/// The first number in `name`, which tells the layers of a stack apart.
static StringRef numberIn(StringRef name) {
  size_t begin = name.find_first_of("0123456789");
  return begin == StringRef::npos ? StringRef() : name.substr(begin).take_while(llvm::isDigit);
}

/// "0-5" for 0, 1, …, 5; "0,2" where some are missing.
static std::string rangesOf(ArrayRef<unsigned> numbers) {
  std::string text;
  for (size_t i = 0; i < numbers.size();) {
    size_t end = i + 1;
    while (end < numbers.size() && numbers[end] == numbers[end - 1] + 1)
      ++end;
    text += (text.empty() ? "" : ",") + std::to_string(numbers[i]);
    if (end > i + 1)
      text += "-" + std::to_string(numbers[end - 1]);
    i = end;
  }
  return text;
}

namespace {
/// Lines of the table: decisions that agree but for a number in the op's name are one.
struct Row {
  std::string op, stage, verdict, text;
  SmallVector<unsigned> numbers;
  size_t stageIndex = 0, index = 0;

  std::string name() const {
    if (numbers.size() < 2)
      return op;
    StringRef number = numberIn(op);
    return op.substr(0, number.data() - op.data()) + rangesOf(numbers) + std::string(number.end());
  }
};
} // namespace

static std::vector<Row> makeRows(ArrayRef<Decision> decisions) {
  std::vector<Row> rows;
  llvm::StringMap<size_t> stages;
  for (const Decision &d : decisions) {
    Row row;
    row.op = placeOf(d.place);
    row.stage = d.target.empty() ? d.stage : d.stage + " " + d.target;
    row.verdict = d.verdict;
    row.text = d.text;
    row.index = rows.size();
    row.stageIndex = stages.try_emplace(row.stage, stages.size()).first->second;
    unsigned number;
    if (!numberIn(row.op).empty() && !numberIn(row.op).getAsInteger(10, number))
      row.numbers.push_back(number);
    rows.push_back(std::move(row));
  }
  // Rewriters walk as they like. In a stage, ops stand in the order of their names; an op's decisions stay in theirs.
  llvm::sort(rows, [&](const Row &a, const Row &b) {
    if (a.stageIndex != b.stageIndex)
      return a.stageIndex < b.stageIndex;
    int order = StringRef(a.op).compare_numeric(b.op);
    return order ? order < 0 : a.index < b.index;
  });
  std::vector<Row> merged;
  llvm::StringMap<size_t> groups;
  for (Row &row : rows) {
    StringRef number = numberIn(row.op);
    std::string key = row.op;
    if (!number.empty())
      key.replace(number.data() - row.op.data(), number.size(), "#");
    auto [it, isNew] = groups.try_emplace(key + "\n" + row.stage + "\n" + row.verdict + "\n" + row.text, merged.size());
    if (isNew)
      merged.push_back(std::move(row));
    else if (!row.numbers.empty() && !llvm::is_contained(merged[it->second].numbers, row.numbers.front()))
      merged[it->second].numbers.push_back(row.numbers.front());
  }
  return merged;
}

std::string attn::formatDecisions(ArrayRef<Decision> decisions) {
  if (decisions.empty())
    return "no decisions were made";
  std::vector<std::array<std::string, 4>> lines{{"op", "stage", "", "decision and reason"}};
  for (const Row &row : makeRows(decisions))
    lines.push_back({row.name(), row.stage, row.verdict, row.text});
  std::array<size_t, 3> widths{};
  for (const auto &line : lines)
    for (size_t i = 0; i < widths.size(); ++i)
      widths[i] = std::max(widths[i], line[i].size());
  std::string text;
  llvm::raw_string_ostream os(text);
  StringRef separator;
  for (const auto &line : lines) {
    os << separator;
    for (size_t i = 0; i < widths.size(); ++i)
      os << llvm::left_justify(line[i], widths[i]) << "  ";
    os << line.back();
    separator = "\n";
  }
  return text;
}

Message attn::toMessage(const Decision &decision) {
  Message message = decision.place;
  message.kind = Message::Kind::Remark;
  message.text = decision.stage + (decision.target.empty() ? "" : " " + decision.target) + ": " + decision.verdict +
                 ": " + decision.text;
  return message;
}
