// SPDX-License-Identifier: Apache-2.0
#include "base/panic.hpp"

#include "base/atomic.hpp"
#include "base/control_characters.hpp"
#include "base/standard_error.hpp"

#include <cstdlib>
#include <cstring>

namespace weft {
namespace {

constinit Atomic<PanicHook> panic_hook{nullptr};
constinit Atomic<PanicWitness> panic_witness{nullptr};

Atomic<bool> dying{false};

/// The last words may wait a little for a reader.
constexpr int kPanicPatienceMs = 1000;

/// Collects text without allocating; what does not fit is cut, but for the end of the line.
class Line {
 public:
  void add(std::string_view text) noexcept { add_up_to(sizeof(text_) - kEndSizeMax, text); }
  void end(std::string_view text) noexcept { add_up_to(sizeof(text_), text); }

  void add_number(std::uint64_t number) noexcept {
    char digits[20];
    std::size_t count = 0;
    do {
      digits[sizeof(digits) - ++count] = static_cast<char>('0' + number % 10);
      number /= 10;
    } while (number != 0);
    add({digits + sizeof(digits) - count, count});
  }

  /// What came from elsewhere cannot begin a line, or steer a terminal.
  void keep_to_one_line() noexcept { blank_control_characters(text_, size_); }

  void write(int patience_ms) const noexcept { write_standard_error({text_, size_}, patience_ms); }

 private:
  static constexpr std::size_t kEndSizeMax = 64;

  void add_up_to(std::size_t size_max, std::string_view text) noexcept {
    const std::size_t size = text.size() < size_max - size_ ? text.size() : size_max - size_;
    std::memcpy(text_ + size_, text.data(), size);
    size_ += size;
  }

  char text_[1024];
  std::size_t size_ = 0;
};

}  // namespace

void set_panic_witness(PanicWitness witness) noexcept { panic_witness.store(witness, release); }

void set_panic_hook(PanicHook hook) noexcept { panic_hook.store(hook, release); }

bool process_is_dying() noexcept { return dying.load(relaxed); }

void write_to_stderr(std::initializer_list<std::string_view> pieces) noexcept {
  Line line;
  for (std::string_view piece : pieces) line.add(piece);
  line.write(0);
}

void write_line_to_stderr(std::initializer_list<std::string_view> pieces, std::string_view end) noexcept {
  Line line;
  for (std::string_view piece : pieces) line.add(piece);
  line.keep_to_one_line();
  line.end(end);
  line.write(0);
}

void panic(const char* file, int line_number, const char* what,
           std::initializer_list<PanicValue> values) noexcept {
  dying.store(true, relaxed);
  Line line;
  line.add("BUG: ");
  line.add(what);
  const char* separator = " (";
  for (const PanicValue& value : values) {
    line.add(separator);
    line.add(value.name);
    line.add("=");
    line.add_number(value.value);
    separator = ", ";
  }
  if (values.size() != 0) line.add(")");
  // The exchanges keep a witness or hook that panics itself from being entered twice.
  if (PanicWitness witness = panic_witness.exchange(nullptr, acq_rel); witness != nullptr) {
    line.write(kPanicPatienceMs);  // first, whatever becomes of the witness
    witness(file, line_number);
  } else {
    line.add(" at ");
    line.add(file);
    line.add(":");
    line.add_number(static_cast<std::uint64_t>(line_number));
    line.end("\n");
    line.write(kPanicPatienceMs);
  }
  if (PanicHook hook = panic_hook.exchange(nullptr, acq_rel); hook != nullptr) hook();
  std::abort();
}

}  // namespace weft
