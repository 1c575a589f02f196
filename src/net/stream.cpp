// SPDX-License-Identifier: Apache-2.0
#include <weft/net/stream.hpp>

namespace weft::net {
namespace {

/// A buffer that is there all the time.
class FixedBuffer final : public BufferSource {
 public:
  explicit FixedBuffer(std::span<std::byte> buffer) noexcept : buffer_(buffer) {}
  std::span<std::byte> take() override { return buffer_; }
  void give_back() noexcept override {}

 private:
  std::span<std::byte> buffer_;
};

}  // namespace

Result<std::size_t> Stream::write_then_read_some_until(ConstBuffer data, MutableBuffer buffer,
                                                       const ExchangeDeadlines& deadlines) {
  if (buffer.empty()) [[unlikely]] {
    if (const io::Progress written = write_all_until(data, deadlines.write); !written) return written.error();
    return std::size_t{0};
  }
  FixedBuffer source(buffer);
  return write_then_read_some_until(data, source, deadlines);
}

Result<std::size_t> Stream::write_then_read_some_until(ConstBuffer data, BufferSource& source,
                                                       const ExchangeDeadlines& deadlines) {
  if (const io::Progress written = write_all_until(data, deadlines.write); !written) return written.error();
  source.give_back();  // `data` may lie in it, and the read may have to wait
  return read_some_until(source, deadlines.read);
}

}  // namespace weft::net
