// SPDX-License-Identifier: Apache-2.0
// A buffer on a fiber's stack that is larger than the stack, used as read() would: its first bytes only.
#include <weft/run.hpp>
#include <weft/this_fiber.hpp>

#include <alloca.h>
#include <cstddef>
#include <cstdio>
#include <string_view>

namespace {

template <std::size_t kKib>
[[gnu::noinline]] void use_buffer() {
  volatile char buffer[kKib * 1024];
  for (std::size_t i = 0; i < 4096; ++i) buffer[i] = 'x';
}

[[gnu::noinline]] void use_alloca(std::size_t size) {
  auto* const buffer = static_cast<volatile char*>(alloca(size));
  for (std::size_t i = 0; i < 4096; ++i) buffer[i] = 'x';
}

void use(std::string_view size) {
  if (size == "64KiB") return use_buffer<64>();
  if (size == "160KiB") return use_buffer<160>();
  if (size == "1MiB") return use_buffer<1024>();
  if (size == "16MiB") return use_buffer<16 * 1024>();
  if (size == "alloca") return use_alloca(200'000 + size.size());
  std::puts("unknown size");
}

}  // namespace

int main(int, char** argv) {
  return weft::run([&] {
    // A stack on each side of the one that overflows.
    const auto below = weft::spawn([] { weft::yield(); });
    weft::spawn([&] { use(argv[1]); }, {.name = "large frame"}).join_uncancellable();
  });
}
