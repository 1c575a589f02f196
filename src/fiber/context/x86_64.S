// SPDX-License-Identifier: Apache-2.0
// The context switch of x86-64, System V ABI. Contract: ../context.hpp, protocol P3: docs/design/switch.md,
// what an architecture file must provide: README.md beside this file.
//
// The frame that a saved context's stack_pointer points at (kFrameSize bytes, low address first):
//
//    0  MXCSR       4 bytes
//    4  x87 control word, 2 bytes, and 2 of padding
//    8  r15     16  r14     24  r13     32  r12     40  rbx     48  rbp
//   56  return address: in weft_switch_context's caller, or weft_context_start for a new context
//
// How it is left. All switches come from one call instruction (in switch_flow), so the return address of
// every saved context is the one that the CPU's return stack predicts: `ret` is right, and it keeps the
// return stack in step for the returns that follow. Popping the address and jumping to it leaves one entry
// too many, and every outer return mispredicts. A new context has another address and is left for by a
// direct jump. Numbers: docs/design/switch.md.

        .set    kSavedOffset, 8
        .set    kFrameSize, 64
        .set    kMxcsrControlBits, 0xffc0       // the others are status flags: not callee-saved, they change all the time

        .text

// void weft_switch_context(MachineContext* from /* rdi */, MachineContext* to /* rsi */)
        .globl  weft_switch_context
        .hidden weft_switch_context
        .type   weft_switch_context, @function
        .p2align 5
weft_switch_context:
        .cfi_startproc
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
        subq    $8, %rsp
        .cfi_adjust_cfa_offset 8
        stmxcsr (%rsp)
        fnstcw  4(%rsp)
        movl    (%rsp), %eax
        movzwl  4(%rsp), %edx

        movq    %rsp, (%rdi)
        movq    (%rsi), %rsp
        movl    $0, kSavedOffset(%rsi)          // `to` is taken: it runs from here on
        movl    $1, kSavedOffset(%rdi)          // release (stores are ordered): nobody is on its stack any more

        // Loading a control register is slow: only when it differs from what is in force.
        xorl    (%rsp), %eax
        testl   $kMxcsrControlBits, %eax
        jne     .Lload_mxcsr
.Lmxcsr_is_right:
        cmpw    4(%rsp), %dx
        jne     .Lload_x87
.Lx87_is_right:
        .cfi_remember_state
        addq    $8, %rsp
        .cfi_adjust_cfa_offset -8
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
        leaq    weft_context_start(%rip), %rcx
        cmpq    %rcx, (%rsp)
        je      .Lstart
        ret
.Lstart:
        addq    $8, %rsp
        .cfi_adjust_cfa_offset -8
        .cfi_undefined rip
        jmp     weft_context_start

        // Out of the way of the fast path; the frame is as it was before the two jumps here.
        .cfi_restore_state
.Lload_mxcsr:
        ldmxcsr (%rsp)
        jmp     .Lmxcsr_is_right
.Lload_x87:
        fldcw   4(%rsp)
        jmp     .Lx87_is_right
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
        stmxcsr (%rsi)
        fnstcw  4(%rsi)
        movq    %rcx, 24(%rsi)                  // r13
        movq    %rdx, 32(%rsi)                  // r12
        movq    $0, 48(%rsi)                    // rbp
        movq    %rax, 56(%rsi)
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
