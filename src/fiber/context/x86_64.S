// SPDX-License-Identifier: Apache-2.0
// The context switch of x86-64, System V ABI. Contract: ../context.hpp, protocol P3: docs/design/switch.md,
// what an architecture's files must provide: README.md beside this file.
//
// The frame that a saved context's stack_pointer points at (kFrameSize bytes, low address first):
//
//    0  r15      8  r14     16  r13     24  r12     32  rbx     40  rbp
//   48  where to continue: behind the switch (x86_64.hpp), or weft_context_start in a new context
//   56  MXCSR, 4 bytes; x87 control word, 2 bytes; 2 bytes of padding
//   64  the red zone of the function that switched, 128 bytes
//
// MXCSR and the x87 word are loaded without asking whether they differ: on the CPUs measured the load is
// cheaper than a compare with what was stored just before (5.7 ns a switch against 7.8).

        .set    kSavedOffset, 8
        .set    kHighSize, 144                  // address, control words, red zone
        .set    kFrameSize, 192

        .text

// Jumped to, not called, by switch_context() in x86_64.hpp: rdi = MachineContext* from,
// rsi = MachineContext* to, rax = where to continue `from`. Left by a jump too: the CPU's stack of return
// addresses is as it was, and the returns that follow are predicted.
        .globl  weft_switch_context
        .hidden weft_switch_context
        .type   weft_switch_context, @function
        .p2align 5
weft_switch_context:
        .cfi_startproc
        .cfi_def_cfa_offset 0
        .cfi_register rip, rax
        leaq    -kHighSize(%rsp), %rsp
        .cfi_adjust_cfa_offset kHighSize
        movq    %rax, (%rsp)
        .cfi_rel_offset rip, 0
        stmxcsr 8(%rsp)
        fnstcw  12(%rsp)
        pushq   %rbp
        .cfi_adjust_cfa_offset 8
        .cfi_rel_offset rbp, 0
        pushq   %rbx
        .cfi_adjust_cfa_offset 8
        .cfi_rel_offset rbx, 0
        pushq   %r12
        .cfi_adjust_cfa_offset 8
        .cfi_rel_offset r12, 0
        pushq   %r13
        .cfi_adjust_cfa_offset 8
        .cfi_rel_offset r13, 0
        pushq   %r14
        .cfi_adjust_cfa_offset 8
        .cfi_rel_offset r14, 0
        pushq   %r15
        .cfi_adjust_cfa_offset 8
        .cfi_rel_offset r15, 0

        movq    %rsp, (%rdi)
        movq    (%rsi), %rsp
        movl    $0, kSavedOffset(%rsi)          // `to` is taken: it runs from here on
        movl    $1, kSavedOffset(%rdi)          // release (stores are ordered): off its stack

        popq    %r15
        .cfi_adjust_cfa_offset -8
        .cfi_restore r15
        popq    %r14
        .cfi_adjust_cfa_offset -8
        .cfi_restore r14
        popq    %r13
        .cfi_adjust_cfa_offset -8
        .cfi_restore r13
        popq    %r12
        .cfi_adjust_cfa_offset -8
        .cfi_restore r12
        popq    %rbx
        .cfi_adjust_cfa_offset -8
        .cfi_restore rbx
        popq    %rbp
        .cfi_adjust_cfa_offset -8
        .cfi_restore rbp
        movq    (%rsp), %rcx
        .cfi_register rip, rcx
        ldmxcsr 8(%rsp)
        fldcw   12(%rsp)
        leaq    kHighSize(%rsp), %rsp
        .cfi_adjust_cfa_offset -kHighSize
        jmp     *%rcx
        .cfi_endproc
        .size   weft_switch_context, . - weft_switch_context

// void weft_prepare_context(MachineContext* context /* rdi */, void* stack_top /* rsi */,
//                           ContextEntry entry /* rdx */, void* argument /* rcx */)
// Builds the frame above at the top of the stack. The new context inherits the caller's MXCSR and x87
// control word, as a new thread does; rbp = 0 ends a walk over frame pointers.
        .globl  weft_prepare_context
        .hidden weft_prepare_context
        .type   weft_prepare_context, @function
        .p2align 4
weft_prepare_context:
        .cfi_startproc
        leaq    weft_context_start(%rip), %rax
        subq    $kFrameSize, %rsi
        movq    %rcx, 16(%rsi)                  // r13
        movq    %rdx, 24(%rsi)                  // r12
        movq    $0, 40(%rsi)                    // rbp
        movq    %rax, 48(%rsi)
        stmxcsr 56(%rsi)
        fnstcw  60(%rsi)
        movq    %rsi, (%rdi)
        movl    $1, kSavedOffset(%rdi)
        ret
        .cfi_endproc
        .size   weft_prepare_context, . - weft_prepare_context

// The first instructions of a new context, and the last frame of every backtrace of it: the return address
// is undefined, which is how debuggers and the exception unwinder know the end of a stack.
        .globl  weft_context_start
        .hidden weft_context_start
        .type   weft_context_start, @function
        .p2align 4
weft_context_start:
        .cfi_startproc
        .cfi_undefined rip
        .cfi_undefined rbp
        movq    %r13, %rdi
        callq   *%r12
        ud2                                     // an entry never returns
        .cfi_endproc
        .size   weft_context_start, . - weft_context_start

        .section .note.GNU-stack, "", @progbits
