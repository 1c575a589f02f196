// SPDX-License-Identifier: Apache-2.0
// A cancel scope with a watch of a peer (docs/design/peer-end.md).
#include <weft/detail/peer_scope_core.hpp>

#include "base/panic.hpp"
#include "event_loop/descriptor/peer_watch.hpp"
#include "fiber/cancel_node.hpp"
#include "fiber/outcome_error.hpp"

#include <memory>
#include <new>
#include <utility>

namespace weft::detail {

class PeerScopeCore::Node final : public LazyCancelNode {
 public:
  Node(DescriptorHandle handle, PeerEnd end) noexcept
      : waiter_(Waiter::current()), handle_(handle), end_(end) {
    watch_.end = end;
    watch_.scope = this;
    link_within(waiter_, kNoDeadline);
  }
  ~Node() { unlink(); }

  void enter() noexcept { step_in(waiter_); }
  void leave() noexcept {
    step_out(waiter_);
    if (used_) [[unlikely]]
      end_use();
  }

  void require_own_fiber() const noexcept {
    WEFT_ASSERT(&Waiter::current() == &waiter_, "a peer scope ends in another fiber than it began in");
  }

  void change(PeerEnd end) noexcept {
    used_ = true;
    if (!watched_) {
      watch_.end = end;
    } else if (change_peer_watch(handle_, watch_, end)) {
      CancelNode::end(WaitOutcome::kCancelled);
    }
  }
  PeerEnd usual_end() const noexcept { return end_; }
  DescriptorHandle handle() const noexcept { return handle_; }

  CancelNode* step_outside() noexcept { return waiter_.scope.exchange(outer(), relaxed); }
  void step_back(CancelNode* inner) noexcept { waiter_.scope.store(inner, relaxed); }

  // A registration that fails is tried again with the next wait.
  void look_for_end() noexcept override {
    if (handle_.descriptor == nullptr) return;  // a stream of the user's own: there is nothing to watch
    if (watched_ && !watch_.lost.load(relaxed)) return;
    used_ = true;
    const Runner* const runner = this_runner();
    if (runner == nullptr || runner->event_loop == nullptr)
      return;  // a plain thread: its peer is not watched
    const Result<bool> ended = watch_peer(handle_, watch_);
    watched_ = ended && !*ended;
    if (ended ? *ended : ended.error() == make_error_code(Errc::closed))
      CancelNode::end(WaitOutcome::kCancelled);
  }

 private:
  // Whoever was stopped in here has waited.
  [[gnu::noinline]] void end_use() noexcept {
    pass_on_stopped(waiter_);
    if (std::exchange(watched_, false)) unwatch_peer(handle_, watch_);
    watch_.end = end_;
    used_ = false;
  }

  Waiter& waiter_;
  const DescriptorHandle handle_;
  const PeerEnd end_;
  bool used_ = false;     // end_use() has something to do
  bool watched_ = false;  // the watch was linked, and not taken off by this fiber
  PeerWatch watch_;
};

PeerScopeCore::PeerScopeCore(DescriptorHandle handle, PeerEnd end) noexcept {
  static_assert(sizeof(Node) <= sizeof(bytes_) && alignof(Node) <= alignof(std::max_align_t));
  new (bytes_) Node(handle, end);
}
PeerScopeCore::~PeerScopeCore() { std::destroy_at(&node()); }

PeerScopeCore::Node& PeerScopeCore::node() noexcept { return *std::launder(reinterpret_cast<Node*>(bytes_)); }
const PeerScopeCore::Node& PeerScopeCore::node() const noexcept {
  return *std::launder(reinterpret_cast<const Node*>(bytes_));
}

void PeerScopeCore::enter() noexcept { node().enter(); }
void PeerScopeCore::require_own_fiber() const noexcept { node().require_own_fiber(); }
void PeerScopeCore::leave() noexcept { node().leave(); }
void PeerScopeCore::change(PeerEnd end) noexcept { node().change(end); }
void PeerScopeCore::change_back() noexcept { node().change(node().usual_end()); }
void PeerScopeCore::renew() noexcept {
  if (!ended()) return;
  const DescriptorHandle handle = node().handle();
  const PeerEnd end = node().usual_end();
  std::destroy_at(&node());
  new (bytes_) Node(handle, end);
}
CancelNode* PeerScopeCore::step_outside() noexcept { return node().step_outside(); }
void PeerScopeCore::step_back(CancelNode* inner) noexcept { node().step_back(inner); }
bool PeerScopeCore::ended() const noexcept { return node().ended() != WaitOutcome::kReady; }
Result<void> PeerScopeCore::status() noexcept {
  node().look_for_end();
  return result_of_outcome(node().status());
}

}  // namespace weft::detail
