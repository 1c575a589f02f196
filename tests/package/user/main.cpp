// SPDX-License-Identifier: Apache-2.0
// Uses what is compiled into the library (the text of an error), and what is inline (Result).
#include <cstdio>

#include <weft/error.hpp>
#include <weft/result.hpp>

namespace {

weft::Result<int> parse_digit(char character) {
  if (character < '0' || character > '9') return make_error_code(weft::Errc::malformed_message);
  return character - '0';
}

}  // namespace

int main() {
  auto digit = parse_digit('7');
  auto failure = parse_digit('x');
  std::printf("%d, %s\n", digit.value(), failure.error().message().c_str());
  return digit.value() == 7 && failure.error() == weft::Errc::malformed_message ? 0 : 1;
}
