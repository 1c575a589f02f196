// SPDX-License-Identifier: Apache-2.0
#include "io/descriptor_calls.hpp"

#include "event_loop/operation/files.hpp"
#include "event_loop/write_batch/write_turn.hpp"
#include "io/network_here.hpp"
#include "sys/iovec.hpp"

#include <array>
#include <tuple>

namespace weft::io {
namespace {

/// Buffers handed to the kernel in one call; more take more calls.
constexpr std::size_t kBuffersAtOnce = 16;

using IovecArray = std::array<iovec, kBuffersAtOnce>;

/// The first of `buffers` that are not empty; those that were looked at are taken off.
template <class Byte>
std::span<iovec> take_iovecs(std::span<const std::span<Byte>>& buffers, IovecArray& array) noexcept {
  std::size_t count = 0;
  for (; !buffers.empty() && count < array.size(); buffers = buffers.subspan(1)) {
    if (!buffers.front().empty()) array[count++] = sys::to_iovec(buffers.front());
  }
  return std::span(array).first(count);
}

/// The kernel took less than all of `data` at `step`, or nothing.
[[gnu::noinline]] Progress write_rest(const WriteTurn& turn, std::span<const std::byte> data,
                                      Result<std::size_t> step, Deadline deadline) {
  for (std::size_t moved = 0;;) {
    if (!step) return {moved, step.error()};
    moved += *step;
    if (moved == data.size()) return {moved, {}};
    if (deadline.passed()) return {moved, Errc::timed_out};
    step = Files::write_in_turn(*turn, data.subspan(moved), deadline);
  }
}

}  // namespace

Result<std::size_t> read_vectored(DescriptorHandle handle, std::span<const std::span<std::byte>> buffers,
                                  Deadline deadline, const char* call) {
  IovecArray array;
  const std::span<iovec> filled = take_iovecs(buffers, array);
  if (filled.empty()) return std::size_t{0};
  require_fiber(call);
  return Files::read_vectored(handle, filled, deadline);
}

Progress write_whole(DescriptorHandle handle, std::span<const std::byte> data, Deadline deadline,
                     const char* call) {
  if (data.empty()) return {0, {}};
  require_fiber(call);
  const WriteTurn turn(handle, deadline);
  if (!turn) [[unlikely]]
    return {0, turn.error()};
  const Result<std::size_t> step = Files::write_in_turn(*turn, data, deadline);
  if (step && *step == data.size()) [[likely]]
    return {data.size(), {}};
  return write_rest(turn, data, step, deadline);
}

Progress write_whole(DescriptorHandle handle, std::span<const std::span<const std::byte>> buffers,
                     Deadline deadline, const char* call) {
  IovecArray array;
  std::span<iovec> left = take_iovecs(buffers, array);
  if (left.empty()) return {0, {}};
  require_fiber(call);
  const WriteTurn turn(handle, deadline);
  if (!turn) return {0, turn.error()};
  for (std::size_t moved = 0;;) {
    const Result<std::size_t> step = Files::write_vectored_in_turn(*turn, left, deadline);
    if (!step) return {moved, step.error()};
    moved += *step;
    left = sys::drop_front(left, *step);
    if (left.empty()) left = take_iovecs(buffers, array);
    if (left.empty()) return {moved, {}};
    if (deadline.passed()) return {moved, Errc::timed_out};
  }
}

void transfer(DescriptorHandle& own, DescriptorHandle& other) noexcept {
  if (&own == &other) return;
  close_if_open(own);
  own = other.take();
}

void close_if_open(DescriptorHandle handle) noexcept {
  if (handle) std::ignore = close_descriptor(handle);
}

Result<void> close_once(DescriptorHandle handle) {
  if (!handle) return Errc::closed;
  return close_descriptor(handle);
}

}  // namespace weft::io
