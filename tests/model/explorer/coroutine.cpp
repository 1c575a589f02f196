// SPDX-License-Identifier: Apache-2.0
#include "model/explorer/coroutine.hpp"

#include <utility>

namespace weft::model {
namespace {

constexpr std::size_t kStackSize = 256 * 1024;

}  // namespace

Coroutine::Coroutine() : stack_(new std::byte[kStackSize]) {
  const auto top = reinterpret_cast<std::uintptr_t>(stack_.get() + kStackSize) & ~std::uintptr_t{15};
  prepare_flow(flow_, stack_.get(), reinterpret_cast<std::byte*>(top), &Coroutine::entry, this);
}

void Coroutine::start(std::function<void()> body) {
  body_ = std::move(body);
  finished_ = false;
}

void Coroutine::resume(Flow& resumer) noexcept {
  resumer_ = &resumer;
  switch_flow(resumer, flow_);
}

void Coroutine::leave() noexcept { switch_flow(flow_, *resumer_); }

void Coroutine::entry(void* self) {
  auto& coroutine = *static_cast<Coroutine*>(self);
  flow_started(coroutine.flow_);
  coroutine.run();
}

void Coroutine::run() noexcept {
  for (;;) {
    body_();
    finished_ = true;
    leave();
  }
}

}  // namespace weft::model
