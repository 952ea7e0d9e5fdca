// RUN: attn-opt %s --attn-outline-launches --split-input-file --verify-diagnostics

// expected-error @below {{the module names no GPU in 'attn.target'}}
module @v3 attributes {attn.target = #attn.target<"x86-64-v3">} {
}
