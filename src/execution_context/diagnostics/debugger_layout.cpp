// SPDX-License-Identifier: Apache-2.0
#include "execution_context/diagnostics/debugger_layout.hpp"

#include "execution_context/context.hpp"

namespace weft {

// offsetof on a class with a base: "conditionally supported", and right in gcc and clang without virtual
// bases.
#pragma GCC diagnostic push
#pragma GCC diagnostic ignored "-Winvalid-offsetof"

constexpr DebuggerLayout DebuggerLayout::make() noexcept {
  return {kVersion,
          process_stack_pool,
          {
              {"pool.slabs", offsetof(StackPool, slabs_)},
              {"slab.next", offsetof(StackSlab, next)},
              {"slab.slots", offsetof(StackSlab, slots_)},
              {"slab.stride", offsetof(StackSlab, stride_)},
              {"slab.used", offsetof(StackSlab, used_)},
              {"slab.colours", StackSlab::kColours},
              {"slab.colour_size", StackSlab::kColourSize},
              {"slot.size", sizeof(StackSlot)},
              {"slot.references", offsetof(StackSlot, references)},
              {"fiber.size", sizeof(Fiber)},
              {"fiber.id", offsetof(Fiber, id)},
              {"fiber.name", offsetof(Fiber, name_)},
              {"fiber.name_size", offsetof(Fiber, name_size_)},
              {"fiber.home", offsetof(Fiber, home)},
              {"fiber.word", offsetof(Fiber, word)},
              {"fiber.done", offsetof(Fiber, done)},
              {"fiber.stack_pointer", offsetof(Fiber, flow.machine.stack_pointer)},
              {"fiber.saved", offsetof(Fiber, flow.machine.saved)},
              {"fiber.spawned_at_file", offsetof(Fiber, spawned_at.file)},
              {"fiber.spawned_at_line", offsetof(Fiber, spawned_at.line)},
              {"context.name", offsetof(Context, name_)},  // from its Home, which stands first
          }};
}

#pragma GCC diagnostic pop

}  // namespace weft

extern "C" {
[[gnu::used, gnu::retain]] constinit const weft::DebuggerLayout weft_debugger_layout =
    weft::DebuggerLayout::make();
}
