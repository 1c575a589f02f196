// SPDX-License-Identifier: Apache-2.0
// Uses what is inline (spawn, Result), and what is compiled into the library (fibers, the text of an error).
#include <cstdio>

#include <weft/error.hpp>
#include <weft/result.hpp>
#include <weft/run.hpp>
#include <weft/this_fiber.hpp>

namespace {

weft::Result<int> parse_digit(char character) {
  if (character < '0' || character > '9') return make_error_code(weft::Errc::malformed_message);
  return character - '0';
}

}  // namespace

int main() {
  return weft::run([] {
    auto digit = weft::spawn([] { return parse_digit('7'); }).join();
    auto failure = weft::spawn([] { return parse_digit('x'); }).join();
    std::printf("%d, %s\n", digit.value(), failure.error().message().c_str());
    return digit.value() == 7 && failure.error() == weft::Errc::malformed_message ? 0 : 1;
  });
}
