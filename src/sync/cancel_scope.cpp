// SPDX-License-Identifier: Apache-2.0
#include <weft/cancel_scope.hpp>

#include "fiber/cancel_node.hpp"
#include "fiber/outcome_error.hpp"

#include <memory>
#include <new>

namespace weft {
namespace detail {

CancelNodeStorage::CancelNodeStorage() noexcept {
  static_assert(sizeof(CancelNode) <= sizeof(bytes_) && alignof(CancelNode) <= alignof(std::max_align_t));
  new (bytes_) CancelNode();
}
CancelNodeStorage::~CancelNodeStorage() { std::destroy_at(&node()); }

void CancelNodeStorage::enter(Deadline deadline) noexcept {
  node().enter(deadline.time_ns(), CancelNode::Shield::kNo);
}
void CancelNodeStorage::enter_shield(Deadline deadline) noexcept {
  node().enter(deadline.time_ns(), CancelNode::Shield::kYes);
}
void CancelNodeStorage::leave() noexcept { node().leave(); }
void CancelNodeStorage::cancel() noexcept { node().end(WaitOutcome::kCancelled); }
Result<void> CancelNodeStorage::status() noexcept { return result_of_outcome(node().status()); }
Result<void> CancelNodeStorage::stopped() const noexcept { return result_of_outcome(node().stopped()); }
Deadline CancelNodeStorage::deadline() const noexcept { return Deadline::at_ns(node().deadline_ns()); }

}  // namespace detail

namespace {

/// What a scope's tokens hang on.
class TokenSource final : public CancelListener {
 public:
  std::stop_token token() const noexcept { return source_.get_token(); }
  void node_ended() noexcept override { source_.request_stop(); }

 private:
  std::stop_source source_;
};

}  // namespace

CancelScope::CancelScope(const CancelToken& token, Deadline deadline) {
  node_.enter(deadline);
  // May call cancel() at once. Does not throw: the callback lives in this object.
  bound_.emplace(token.stop_token(), Cancel{this});
}

CancelScope::~CancelScope() {
  bound_.reset();  // waits for a call of cancel() that is going on: a few instructions, and no suspension
  if (token_.stop_possible() && !token_.stop_requested())
    static_cast<void>(node_.status());  // a deadline that nobody has noticed
  node_.leave();
}

CancelToken CancelScope::token() {
  if (!token_.stop_possible()) {
    auto* const source = new TokenSource();
    token_ = source->token();
    node_.node().set_listener(*source);
    source->release();  // the node's own reference stays
  }
  return token_;
}

}  // namespace weft
