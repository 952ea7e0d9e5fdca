//===- Parser.cpp - From PTX text to a module -------------------*- C++ -*-===//
//
// Part of attn-mlir, under the Apache License v2.0 with LLVM Exceptions.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//

#include "Lexer.h"
#include "Warp.h"
#include "llvm/ADT/StringExtras.h"
#include "llvm/Support/MathExtras.h"
#include <map>

using namespace attn::ptx;
using llvm::StringRef;

namespace {

/// Names of one pair of braces.
struct Scope {
  unsigned parent;
  llvm::StringMap<unsigned> registers;
  llvm::StringMap<unsigned> labels;
};

unsigned bytesOf(StringRef type) {
  unsigned bits = 0;
  StringRef digits = type.drop_while([](char c) { return !llvm::isDigit(c); });
  return digits.getAsInteger(10, bits) || bits > 128 ? 0 : bits / 8;
}

class Parser {
public:
  Parser(StringRef text, StringRef file) : tokens(tokenize(text)), module(std::make_unique<Module>()) {
    module->file = file.str();
  }

  llvm::Expected<std::unique_ptr<Module>> run() {
    while (error.empty() && peek().kind != Token::End)
      parseTopLevel();
    if (!error.empty())
      return llvm::createStringError(error);
    return std::move(module);
  }

private:
  const Token &peek(size_t ahead = 0) const { return tokens[std::min(at + ahead, tokens.size() - 1)]; }
  bool is(StringRef text) const { return peek().text == text && peek().kind != Token::String; }
  StringRef next() {
    StringRef text = peek().text;
    if (at + 1 < tokens.size())
      ++at;
    return text;
  }
  bool accept(StringRef text) { return is(text) && (next(), true); }
  void fail(const llvm::Twine &what) {
    if (error.empty())
      error = (module->file + ":" + llvm::Twine(peek().line) + ": " + what).str();
  }
  void expect(StringRef text) {
    if (!accept(text))
      fail("expected '" + text + "', found '" + peek().text + "'");
  }
  int64_t integer() {
    bool negative = accept("-");
    uint64_t value = 0;
    StringRef text = next();
    if (text.rtrim("uU").getAsInteger(0, value))
      fail("expected an integer, found '" + text + "'");
    return negative ? -int64_t(value) : int64_t(value);
  }
  void skipStatement() {
    while (peek().kind != Token::End && !accept(";"))
      next();
  }

  void parseTopLevel() {
    if (accept(".version") || accept(".address_size")) {
      next();
    } else if (accept(".target")) {
      module->target = next().str();
      while (accept(","))
        next();
    } else if (is(".func")) {
      fail("functions are not supported: inline them");
    } else if (accept(".visible") || accept(".weak")) {
    } else if (accept(".extern")) {
      external = true;
    } else if (accept(".entry")) {
      parseKernel();
    } else if (is(".shared") || is(".global") || is(".const")) {
      parseVariable();
    } else if (accept(".file") || accept(".pragma")) {
      while (peek().kind != Token::End && peek().kind != Token::Identifier && !accept(";"))
        next();
    } else if (accept(".section")) {
      while (peek().kind != Token::End && !accept("}"))
        next();
    } else {
      fail("unexpected '" + peek().text + "'");
    }
  }

  /// One of `.shared .align 16 .b8 name[64];`.
  void parseVariable() {
    StringRef space = next();
    uint64_t alignment = 1;
    if (accept(".align"))
      alignment = integer();
    unsigned element = bytesOf(peek().text);
    next();
    StringRef name = next();
    uint64_t count = 1;
    while (accept("[")) {
      count *= is("]") ? 0 : uint64_t(integer());
      expect("]");
    }
    if (!accept(";") || !element || !llvm::isPowerOf2_64(alignment) || count > (1u << 24))
      return fail("a variable that is initialised or of another form is not supported: '" + name + "'");
    uint64_t size = count * element;
    alignment = std::max<uint64_t>(alignment, element);
    if (space == ".shared") {
      // An external one is what the launch brings, behind all others.
      sharedVariables.push_back({name.str(), alignment, size, external});
    } else if (space == ".local") {
      localBytes = llvm::alignTo(localBytes, alignment);
      locals[name] = localWindow + localBytes;
      localBytes += size;
    } else {
      return fail("variables in " + space.drop_front() + " memory are not supported: '" + name + "'");
    }
    external = false;
  }

  void parseKernel() {
    kernel = Kernel();
    kernel.name = next().str();
    scopes.assign(1, Scope{0, {}, {}});
    scope = 0;
    localBytes = 0;
    locals.clear();
    constants.clear();
    specials.clear();
    if (accept("("))
      parseParameters();
    while (error.empty() && !is("{")) {
      if (accept(".reqntid")) {
        unsigned dimension = 0;
        for (unsigned &threads : kernel.requiredThreads)
          threads = 1;
        do
          kernel.requiredThreads[dimension++] = unsigned(integer());
        while (dimension < 3 && accept(","));
      } else if (accept(".maxntid") || accept(".minnctapersm") || accept(".maxnreg") || accept(".maxnctapersm")) {
        do
          integer();
        while (accept(","));
      } else {
        return fail("the directive '" + peek().text + "' is not supported");
      }
    }
    layOutShared();
    size_t ofModule = sharedVariables.size();
    parseBlock();
    kernel.localBytes = localBytes;
    resolveLabels();
    for (Instruction &instruction : kernel.body)
      decode(instruction);
    for (auto [value, reg] : constants)
      kernel.constants.push_back({reg, value});
    module->kernels.push_back(std::move(kernel));
    sharedVariables.erase(sharedVariables.begin() + long(ofModule), sharedVariables.end());
  }

  void parseParameters() {
    while (error.empty() && !accept(")")) {
      expect(".param");
      unsigned alignment = 1;
      unsigned size = 0;
      while (error.empty() && peek().text.starts_with(".")) {
        StringRef word = next();
        if (word == ".align")
          alignment = unsigned(integer());
        else if (word != ".ptr" && word != ".global" && word != ".shared" && word != ".local" && word != ".const")
          size = bytesOf(word);
      }
      // An alignment after .ptr is the pointer's, which is no smaller than this.
      Parameter parameter;
      parameter.name = next().str();
      uint64_t count = 1;
      if (accept("[")) {
        count = uint64_t(integer());
        expect("]");
      } else {
        alignment = size;
      }
      if (!size || count > 4096 || !llvm::isPowerOf2_32(alignment))
        return fail("a parameter of this form is not supported");
      kernel.parameterBytes = unsigned(llvm::alignTo(kernel.parameterBytes, std::max(alignment, size)));
      parameter.offset = kernel.parameterBytes;
      parameter.size = unsigned(size * count);
      kernel.parameterBytes += parameter.size;
      kernel.parameters.push_back(std::move(parameter));
      accept(",");
    }
  }

  struct SharedVariable {
    std::string name;
    uint64_t alignment, size;
    bool external;
    uint64_t offset = 0;
  };

  void layOutShared() {
    uint64_t bytes = 0;
    for (bool dynamic : {false, true})
      for (SharedVariable &variable : sharedVariables)
        if (variable.external == dynamic) {
          variable.offset = llvm::alignTo(bytes, variable.alignment);
          bytes = std::max(bytes, variable.offset + variable.size);
        }
    kernel.sharedBytes = bytes;
    for (SharedVariable &variable : sharedVariables)
      if (variable.external)
        kernel.sharedBytes = variable.offset;
  }

  void parseBlock() {
    expect("{");
    while (error.empty() && !accept("}")) {
      if (peek().kind == Token::End)
        return fail("expected '}'");
      if (is("{")) {
        unsigned outer = scope;
        scopes.push_back(Scope{outer, {}, {}});
        scope = unsigned(scopes.size() - 1);
        parseBlock();
        scope = outer;
      } else if (accept(".reg")) {
        parseRegisters();
      } else if (is(".local")) {
        parseVariable();
      } else if (is(".shared")) {
        parseVariable();
        layOutShared();
      } else if (accept(".loc") || accept(".file")) {
        unsigned line = peek().line;
        while (peek().kind != Token::End && peek().line == line)
          next();
      } else if (accept(".pragma")) {
        skipStatement();
      } else if (peek(1).text == ":" && peek().kind == Token::Identifier) {
        scopes[scope].labels[next()] = unsigned(kernel.body.size());
        next();
      } else if (accept(";")) {
      } else {
        parseInstruction();
      }
    }
  }

  void parseRegisters() {
    next(); // Registers of all types are 64 bits here.
    do {
      StringRef name = next();
      if (accept("<")) {
        int64_t count = integer();
        expect(">");
        if (count < 0 || count > (1 << 17))
          return fail("too many registers");
        for (int64_t i = 0; i < count; ++i)
          scopes[scope].registers[(name + llvm::Twine(i)).str()] = kernel.registers++;
      } else {
        scopes[scope].registers[name] = kernel.registers++;
      }
    } while (accept(","));
    expect(";");
  }

  std::optional<unsigned> findRegister(StringRef name) {
    for (unsigned s = scope;; s = scopes[s].parent) {
      auto found = scopes[s].registers.find(name);
      if (found != scopes[s].registers.end())
        return found->second;
      if (s == 0)
        return std::nullopt;
    }
  }

  unsigned constant(uint64_t value) {
    auto [entry, isNew] = constants.try_emplace(value, kernel.registers);
    kernel.registers += isNew;
    return entry->second;
  }

  std::optional<uint64_t> findSymbol(StringRef name) {
    for (const SharedVariable &variable : sharedVariables)
      if (variable.name == name)
        return variable.offset;
    for (const Parameter &parameter : kernel.parameters)
      if (parameter.name == name)
        return parameter.offset;
    if (auto found = locals.find(name); found != locals.end())
      return found->second - localWindow;
    return std::nullopt;
  }

  std::optional<unsigned> findSpecial(StringRef name) {
    static const std::pair<StringRef, Special> names[] = {
        {"%tid.x", Special::TidX},     {"%tid.y", Special::TidY},     {"%tid.z", Special::TidZ},
        {"%ntid.x", Special::NtidX},   {"%ntid.y", Special::NtidY},   {"%ntid.z", Special::NtidZ},
        {"%ctaid.x", Special::CtaX},   {"%ctaid.y", Special::CtaY},   {"%ctaid.z", Special::CtaZ},
        {"%nctaid.x", Special::NctaX}, {"%nctaid.y", Special::NctaY}, {"%nctaid.z", Special::NctaZ},
        {"%laneid", Special::Lane},    {"%warpid", Special::Warp},
    };
    for (auto [text, special] : names)
      if (text == name) {
        auto [entry, isNew] = specials.try_emplace(special, kernel.registers);
        if (isNew)
          kernel.specials.push_back({kernel.registers++, special});
        return entry->second;
      }
    return std::nullopt;
  }

  /// Bits of a number: 0f and 0d give them themselves.
  uint64_t number() {
    bool negative = accept("-");
    StringRef text = next();
    uint64_t value = 0;
    if (text.starts_with_insensitive("0f") || text.starts_with_insensitive("0d")) {
      if (text.drop_front(2).getAsInteger(16, value))
        fail("expected a number, found '" + text + "'");
      return value;
    }
    if (!text.rtrim("uU").getAsInteger(0, value))
      return negative ? -value : value;
    double real = 0;
    if (text.getAsDouble(real))
      fail("expected a number, found '" + text + "'");
    return toBits(negative ? -real : real);
  }

  Operand parseOperand(bool inAddress = false) {
    Operand operand;
    if (accept("{")) {
      operand.kind = Operand::Vector;
      do
        operand.elements.push_back(parseOperand());
      while (error.empty() && accept(","));
      expect("}");
    } else if (accept("[")) {
      operand = parseOperand(true);
      operand.kind = Operand::Address;
      if (accept("+"))
        operand.offset = integer();
      if (accept(","))
        operand.elements.push_back(parseOperand());
      expect("]");
    } else if (accept("_")) {
    } else if (is("-") || peek().kind == Token::Number) {
      operand.kind = Operand::Register;
      operand.reg = constant(number());
    } else {
      operand.negated = accept("!");
      StringRef name = next();
      operand.kind = Operand::Register;
      if (auto reg = findRegister(name)) {
        operand.reg = *reg;
      } else if (auto special = findSpecial(name)) {
        operand.reg = *special;
      } else if (auto symbol = findSymbol(name)) {
        uint64_t value = *symbol;
        if (!inAddress && is("+") && (next(), true))
          value += uint64_t(integer());
        operand.reg = constant(value);
      } else if (name == "WARP_SZ") {
        operand.reg = constant(32);
      } else {
        operand.kind = Operand::Label;
        operand.label = name.str();
        if (name.starts_with("%") || inAddress)
          fail("unknown name '" + name + "'");
      }
    }
    if (!inAddress && accept("|")) {
      Operand pair;
      pair.kind = Operand::Pair;
      pair.elements.push_back(std::move(operand));
      pair.elements.push_back(parseOperand());
      return pair;
    }
    return operand;
  }

  void parseInstruction() {
    Instruction instruction;
    instruction.line = peek().line;
    instruction.scope = scope;
    if (accept("@")) {
      instruction.guardNegated = accept("!");
      auto reg = findRegister(next());
      if (!reg)
        return fail("unknown predicate");
      instruction.guard = int(*reg);
    }
    instruction.text = next().str();
    while (error.empty() && !accept(";")) {
      instruction.operands.push_back(parseOperand());
      if (!is(";"))
        expect(",");
    }
    kernel.body.push_back(std::move(instruction));
  }

  void resolveLabels() {
    for (Instruction &instruction : kernel.body)
      for (Operand &operand : instruction.operands) {
        if (operand.kind != Operand::Label || !error.empty())
          continue;
        bool found = false;
        for (unsigned s = instruction.scope; !found; s = scopes[s].parent) {
          if (auto label = scopes[s].labels.find(operand.label); label != scopes[s].labels.end()) {
            instruction.target = label->second;
            found = true;
          }
          if (s == 0)
            break;
        }
        if (!found)
          error = module->file + ":" + std::to_string(instruction.line) + ": unknown name '" + operand.label + "'";
      }
  }

  void decode(Instruction &instruction) {
    if (!error.empty())
      return;
    StringRef(instruction.text).split(instruction.parts, '.');
    for (auto *decoder :
         {decodeArithmetic, decodeConversion, decodeControl, decodeMemory, decodeAtomic, decodeWarp, decodeMatrix})
      if (decoder(instruction))
        return;
    error = module->file + ":" + std::to_string(instruction.line) + ": the instruction '" + instruction.text +
            "' with such operands is not supported";
  }

  std::vector<Token> tokens;
  size_t at = 0;
  std::unique_ptr<Module> module;
  std::string error;
  bool external = false;
  std::vector<SharedVariable> sharedVariables;
  Kernel kernel;
  std::vector<Scope> scopes;
  unsigned scope = 0;
  uint64_t localBytes = 0;
  llvm::StringMap<uint64_t> locals;
  std::map<uint64_t, unsigned> constants;
  std::map<Special, unsigned> specials;
};

} // namespace

const Kernel *Module::lookup(StringRef name) const {
  for (const Kernel &kernel : kernels)
    if (kernel.name == name)
      return &kernel;
  return nullptr;
}

llvm::Expected<std::unique_ptr<Module>> attn::ptx::parse(StringRef text, StringRef file) {
  return Parser(text, file).run();
}
