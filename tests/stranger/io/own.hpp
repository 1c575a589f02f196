// SPDX-License-Identifier: Apache-2.0
#pragma once

// Readers and writers of a user's own, for the tests of io. In fibers.

#include "stranger/stranger.hpp"

#include <weft/weft.hpp>

#include <cstring>
#include <deque>
#include <string>
#include <string_view>
#include <utility>
#include <variant>

namespace stranger {

/// Gives the pieces and the errors of a script, one for each read; then the end of the file. A piece that the
/// buffer has no room for is given in several reads.
class ScriptedReader final : public weft::io::Reader {
 public:
  using Step = std::variant<std::string, std::error_code>;

  ScriptedReader() = default;
  explicit ScriptedReader(std::deque<Step> steps) : steps_(std::move(steps)) {}

  ScriptedReader& then(std::string_view piece) { return steps_.emplace_back(std::string(piece)), *this; }
  ScriptedReader& then(weft::Errc error) { return steps_.emplace_back(make_error_code(error)), *this; }

  using Reader::read_some_until;
  weft::Result<std::size_t> read_some_until(weft::MutableBuffer buffer, weft::Deadline) override {
    ++reads;
    if (buffer.empty()) return std::size_t{0};
    if (steps_.empty()) return weft::Errc::end_of_file;
    if (const auto* const error = std::get_if<std::error_code>(&steps_.front())) {
      const std::error_code copied = *error;
      steps_.pop_front();
      return copied;
    }
    auto& piece = std::get<std::string>(steps_.front());
    const std::size_t size = std::min(piece.size(), buffer.size());
    std::memcpy(buffer.data(), piece.data(), size);
    piece.erase(0, size);
    if (piece.empty()) steps_.pop_front();
    return size;
  }
  weft::Result<std::size_t> read_some_until(weft::BufferSource& source, weft::Deadline deadline) override {
    const std::span<std::byte> room = source.take();
    lent_sizes.push_back(room.size());
    weft::Result<std::size_t> n = read_some_until(weft::MutableBuffer(room), deadline);
    if (!n) source.give_back();
    return n;
  }
  weft::Result<void> wait_readable(weft::Deadline) override { return {}; }

  int reads = 0;
  std::deque<std::size_t> lent_sizes;  ///< what the buffers that were lent had room for

 private:
  std::deque<Step> steps_;
};

/// Takes what is written, `step` bytes at a time, as far as `size_max`; then an error.
class CollectingWriter final : public weft::io::Writer {
 public:
  explicit CollectingWriter(std::size_t size_max = SIZE_MAX, std::size_t step = SIZE_MAX)
      : size_max_(size_max), step_(step) {}

  weft::Result<std::size_t> write_some_until(weft::ConstBuffer data, weft::Deadline) override {
    const std::size_t size = std::min({data.size(), step_, size_max_ - text.size()});
    if (size == 0 && !data.empty()) return std::error_code(ENOSPC, std::system_category());
    text.append(reinterpret_cast<const char*>(data.data()), size);
    return size;
  }
  weft::Result<void> wait_writable(weft::Deadline) override { return {}; }

  std::string text;

 private:
  const std::size_t size_max_;
  const std::size_t step_;
};

/// Bytes that differ at every place.
inline std::string pattern(std::size_t size, std::uint32_t seed = 1) {
  std::string text(size, '\0');
  for (char& c : text) {
    seed = seed * 1664525 + 1013904223;
    c = static_cast<char>(seed >> 24);
  }
  return text;
}

inline std::error_code errno_code(int value) { return {value, std::system_category()}; }

/// All bytes until the end of the file.
inline std::string drain(weft::io::Reader& reader) {
  CollectingWriter all;
  std::string block(std::size_t{1} << 16, '\0');
  while (const auto n = reader.read_some(block)) all.text.append(block, 0, *n);
  return all.text;
}

/// Writes until there is no room. Returns what was written.
inline std::string fill(weft::io::Writer& writer) {
  std::string written;
  const std::string block(std::size_t{1} << 12, 'f');
  // Twice: a deadline that has passed may end a write that need not wait.
  for (int failures = 0; failures < 2;) {
    const auto n = writer.write_some_until(block, weft::Deadline::after_ns(0));
    failures = n ? 0 : failures + 1;
    if (n) written.append(block, 0, *n);
  }
  return written;
}

}  // namespace stranger
