//===- MessageTest.cpp - Messages as text and JSON --------------*- C++ -*-===//
//
// Part of attn-mlir, under the Apache License v2.0 with LLVM Exceptions.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//

#include "Console.h"
#include "Explain.h"
#include "llvm/Support/JSON.h"
#include "gtest/gtest.h"

using namespace attn;

namespace {

Message makeError() {
  Message error(Message::Kind::Error, "cannot do it");
  error.file = "m.mlir";
  error.line = 3;
  error.column = 7;
  Message note(Message::Kind::Note, "see \"this\"");
  note.node = "layer.0";
  error.notes.push_back(note);
  return error;
}

TEST(MessageTest, Text) {
  EXPECT_EQ(toText(makeError()), "m.mlir:3:7: error: cannot do it\nlayer.0: note: see \"this\"");
  EXPECT_EQ(toText({Message::Kind::Info, "took long"}), "took long");
  EXPECT_EQ(toText({Message::Kind::Warning, "odd"}), "warning: odd");
}

TEST(MessageTest, TextMovesNoCursor) {
  EXPECT_EQ(toText({Message::Kind::Error, std::string("a\x1b[2Jb\0c\x7f\r\xc2\x9b\xc3\xa9\nd", 16)}),
            "error: a\\x1B[2Jb\\x00c\\x7F\\x0D\\x9B\xc3\xa9\nd");
}

TEST(MessageTest, Json) {
  std::string text = toJson(makeError());
  EXPECT_EQ(text.find('\n'), std::string::npos);
  llvm::Expected<llvm::json::Value> value = llvm::json::parse(text);
  ASSERT_TRUE(bool(value));
  const llvm::json::Object &object = *value->getAsObject();
  EXPECT_EQ(object.getString("severity"), "error");
  EXPECT_EQ(object.getString("message"), "cannot do it");
  EXPECT_EQ(object.getString("file"), "m.mlir");
  EXPECT_EQ(object.getInteger("line"), 3);
  EXPECT_EQ(object.getInteger("column"), 7);
  EXPECT_EQ((*object.getArray("notes"))[0].getAsObject()->getString("node"), "layer.0");
}

TEST(MessageTest, JsonIsUtf8) {
  // A name in a model's file may be any bytes.
  llvm::Expected<llvm::json::Value> value = llvm::json::parse(toJson({Message::Kind::Error, "bad \xff name"}));
  ASSERT_TRUE(bool(value));
  EXPECT_EQ(value->getAsObject()->getString("message"), "bad \xef\xbf\xbd name");
}

/// What a console prints to standard error.
std::string printed(DiagnosticFormat format, ProgressStyle style) {
  std::string out, err;
  llvm::raw_string_ostream outStream(out), errStream(err);
  {
    Console console(outStream, errStream);
    console.configure(format, style);
    console.print({Message::Kind::Progress, "fuse"});
    console.print({Message::Kind::Warning, "odd"});
    console.print({Message::Kind::Progress, "tile"});
    console.print({Message::Kind::Output, "a list"});
  }
  EXPECT_EQ(out, "a list\n");
  return err;
}

TEST(ConsoleTest, Progress) {
  EXPECT_EQ(printed(DiagnosticFormat::Text, ProgressStyle::Plain), "attnc: fuse\nwarning: odd\nattnc: tile\n");
  EXPECT_EQ(printed(DiagnosticFormat::Text, ProgressStyle::None), "warning: odd\n");
  // One line, cleared before anything else is printed and at the end.
  EXPECT_EQ(printed(DiagnosticFormat::Text, ProgressStyle::Line),
            "attnc: fuse\r\x1b[Kwarning: odd\nattnc: tile\r\x1b[K");
  // No terminal here.
  EXPECT_EQ(printed(DiagnosticFormat::Text, ProgressStyle::Auto), "attnc: fuse\nwarning: odd\nattnc: tile\n");
}

TEST(ConsoleTest, JsonLines) {
  EXPECT_EQ(printed(DiagnosticFormat::Json, ProgressStyle::Line), R"({"message":"fuse","severity":"progress"})"
                                                                  "\n"
                                                                  R"({"message":"odd","severity":"warning"})"
                                                                  "\n"
                                                                  R"({"message":"tile","severity":"progress"})"
                                                                  "\n");
}

Decision decide(std::string node, std::string stage, std::string text) {
  Decision decision;
  decision.place.node = std::move(node);
  decision.stage = std::move(stage);
  decision.verdict = "done";
  decision.text = std::move(text);
  return decision;
}

TEST(ExplainTest, LayersThatAgreeAreOneLine) {
  std::string table =
      formatDecisions({decide("layer.10.mlp", "fuse", "merged"), decide("layer.2.mlp", "fuse", "merged"),
                       decide("layer.1.mlp", "fuse", "merged"), decide("layer.1.mlp", "fuse", "cut"),
                       decide("layer.1.mlp", "tile", "merged"), decide("pool", "fuse", "merged")});
  EXPECT_EQ(table, "op                stage        decision and reason\n"
                   "layer.1-2,10.mlp  fuse   done  merged\n"
                   "layer.1.mlp       fuse   done  cut\n"
                   "pool              fuse   done  merged\n"
                   "layer.1.mlp       tile   done  merged");
}

TEST(ExplainTest, NothingDecided) { EXPECT_EQ(formatDecisions({}), "no decisions were made"); }

} // namespace
