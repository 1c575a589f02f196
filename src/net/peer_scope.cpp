// SPDX-License-Identifier: Apache-2.0
// A cancel scope with a watch of a peer (docs/design/peer-end.md).
#include <weft/detail/peer_scope_core.hpp>

#include "event_loop/operation.hpp"
#include "event_loop/peer_watch.hpp"
#include "fiber/cancel_node.hpp"

#include <memory>
#include <new>

namespace weft::detail {

class PeerScopeCore::Node final : public LazyCancelNode {
 public:
  explicit Node(DescriptorHandle handle) noexcept : waiter_(Waiter::current()), handle_(handle) {
    watch_.scope = this;
    link(waiter_.scope.load(relaxed), &waiter_, kNoDeadline);
  }
  ~Node() { unlink(); }

  void enter(PeerEnd end) noexcept {
    watch_.end = end;  // linked nowhere
    step_in(waiter_);
  }

  void leave() noexcept {
    step_out(waiter_);
    if (watched_) [[unlikely]]
      unwatch();
  }

  void change(PeerEnd end) noexcept {
    if (!watched_) {
      watch_.end = end;
    } else if (change_peer_watch(handle_, watch_, end)) {
      CancelNode::end(WaitOutcome::kCancelled);
    }
  }

  // A registration that fails is tried again with the next wait.
  void look_for_end() noexcept override {
    if (watched_ && !watch_.lost.load(relaxed)) return;
    const Runner* const runner = this_runner();
    if (runner == nullptr || runner->event_loop == nullptr)
      return;  // a plain thread: its peer is not watched
    const Result<bool> ended = watch_peer(*runner->event_loop, handle_, watch_);
    watched_ = ended && !*ended;
    if (ended && *ended) CancelNode::end(WaitOutcome::kCancelled);
    if (!ended && ended.error() == make_error_code(Errc::closed)) CancelNode::end(WaitOutcome::kCancelled);
  }

 private:
  void unwatch() noexcept {
    watched_ = false;
    unwatch_peer(handle_, watch_);
  }

  Waiter& waiter_;
  const DescriptorHandle handle_;
  PeerWatch watch_;
  bool watched_ = false;
};

PeerScopeCore::PeerScopeCore(DescriptorHandle handle) noexcept {
  static_assert(sizeof(Node) <= sizeof(bytes_) && alignof(Node) <= alignof(std::max_align_t));
  new (bytes_) Node(handle);
}
PeerScopeCore::~PeerScopeCore() { std::destroy_at(&node()); }

PeerScopeCore::Node& PeerScopeCore::node() noexcept { return *std::launder(reinterpret_cast<Node*>(bytes_)); }
const PeerScopeCore::Node& PeerScopeCore::node() const noexcept {
  return *std::launder(reinterpret_cast<const Node*>(bytes_));
}

void PeerScopeCore::enter(PeerEnd end) noexcept { node().enter(end); }
void PeerScopeCore::leave() noexcept { node().leave(); }
void PeerScopeCore::change(PeerEnd end) noexcept { node().change(end); }
bool PeerScopeCore::ended() const noexcept { return node().ended() != WaitOutcome::kReady; }
Result<void> PeerScopeCore::status() noexcept {
  node().look_for_end();
  return result_of_outcome(node().status());
}

}  // namespace weft::detail
