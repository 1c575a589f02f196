// SPDX-License-Identifier: Apache-2.0
// Select (docs/design/select.md), with the shipping source: of two that meet, one wins the other's wait, and
// of the branches of one select exactly one is taken.
#include "model/bounds.hpp"
#include "model/runtime/fibers.hpp"
#include "model/runtime/item.hpp"
#include "sync/channel_core.hpp"
#include "sync/select_node.hpp"

#include <weft/select.hpp>

#include <functional>
#include <mutex>

namespace weft {
namespace {

using Cancellable = WaitWord::Cancellable;
using model::FailureKind;
using model::Item;
using model::ModelFibers;

/// Two channels. A select sorts by addresses, so that which is which must not depend on where they are.
struct Channels {
  explicit Channels(std::size_t capacity) : one(capacity), other(capacity) {
    model::name(detail::Access::core(low()), "low");
    model::name(detail::Access::core(high()), "high");
  }
  bool in_order() { return std::less<>()(&detail::Access::core(one), &detail::Access::core(other)); }
  Channel<Item>& low() { return in_order() ? one : other; }
  Channel<Item>& high() { return in_order() ? other : one; }

  Channel<Item> one, other;
};

/// What a select did.
struct Deed {
  int sent = 0;
  int received = 0;  ///< the number that came; 0: none
  bool done() const { return (sent != 0) != (received != 0); }
};

/// Sends `number` to `to`, or receives from `from`.
Deed exchange(Channel<Item>& to, int number, Channel<Item>& from) {
  Deed deed;
  Item item(number);
  const Selected selected =
      select(send(to, std::move(item), [&] { deed.sent = number; }),
             receive(from, [&](Result<Item> came) { deed.received = came ? came->number() : 0; }));
  model::check(selected || selected.error() == Errc::cancelled, "taken, or cancelled");
  model::check(item.moved() == (deed.sent != 0), "what is not sent is not moved");
  model::check(deed.done() == static_cast<bool>(selected), "exactly one branch");
  return deed;
}

// Select.md, "the question".
TEST(ModelSelect, TwoThatCrossMeetInOneChannel) {
  ModelFibers fibers;
  model::expect_holds([&] {
    Channels channels(0);
    Deed a, b;
    model::run({{"a", fibers.fiber(0, [&] { a = exchange(channels.low(), 1, channels.high()); })},
                {"b", fibers.fiber(1, [&] { b = exchange(channels.high(), 2, channels.low()); })}});
    model::check(a.sent == b.received && b.sent == a.received, "what one sent the other received");
  });
}

TEST(ModelSelect, OneOfTwoSendersIsTakenAndTheOtherLater) {
  ModelFibers fibers;
  model::expect_holds([&] {
    Channels channels(0);
    int first = 0, second = 0;
    model::run({{"selects",
                 fibers.fiber(0,
                              [&] {
                                const auto take = [&](Result<Item> item) { first = item.value().number(); };
                                model::check(static_cast<bool>(select(receive(channels.low(), take),
                                                                      receive(channels.high(), take))),
                                             "taken");
                                auto& other = first == 1 ? channels.high() : channels.low();
                                second = other.receive().value().number();
                              })},
                {"low", fibers.fiber(1, [&] { channels.low().send(Item(1)).value(); })},
                {"high", fibers.fiber(2, [&] { channels.high().send(Item(2)).value(); })}});
    model::check(first + second == 3 && first != 0 && second != 0, "each once");
  });
}

/// Three selects over two channels, each of which may meet each of the others: two of them do.
void three_meet(ModelFibers& fibers, std::size_t capacity) {
  Channels channels(capacity);
  Deed deeds[3];
  Atomic<int> left{3};
  const auto take_part = [&](unsigned own, Channel<Item>& to, Channel<Item>& from) {
    deeds[own] = exchange(to, static_cast<int>(own) + 1, from);
    // The last two have nobody left to meet, or all are through.
    if (left.fetch_sub(1, acq_rel) == 2)
      for (unsigned i = 0; i < 3; ++i) fibers[i].cancel();
  };
  model::run({{"a", fibers.fiber(0, [&] { take_part(0, channels.low(), channels.high()); })},
              {"b", fibers.fiber(1, [&] { take_part(1, channels.high(), channels.low()); })},
              {"c", fibers.fiber(2, [&] { take_part(2, channels.low(), channels.high()); })}});
  int sent = 0, received = 0;
  for (const Deed& deed : deeds) {
    sent += deed.sent;
    received += deed.received;
  }
  for (Channel<Item>* const channel : {&channels.low(), &channels.high()})
    while (auto item = channel->try_receive()) received += item->number();
  model::check(sent == received && sent != 0, "what was sent was received, or is inside");
}

TEST(ModelSelect, ThreeThatCrossLoseAndDoubleNothing) {
  ModelFibers fibers;
  for (const std::size_t capacity : {std::size_t{0}, std::size_t{1}})
    model::expect_holds(model::at_random(5'000), [&] { three_meet(fibers, capacity); });
}

TEST(ModelSelect, AValueIsNeverLostToACancelRequest) {
  ModelFibers fibers;
  model::expect_holds([&] {
    Channels channels(0);
    Deed deed;
    bool sent = false;
    model::run({{"selects", fibers.fiber(0, [&] { deed = exchange(channels.low(), 1, channels.high()); })},
                {"sender", fibers.fiber(1, [&] { sent = channels.high().try_send(Item(2)).has_value(); })},
                {"canceller", [&] { fibers[0].cancel(); }}});
    model::check(deed.sent == 0 && deed.received == (sent ? 2 : 0), "received if it was sent");
  });
}

TEST(ModelSelect, ACloseOfOneChannelEndsItOnce) {
  ModelFibers fibers;
  model::expect_holds([&] {
    Channels channels(0);
    int closed = 0, received = 0;
    bool sent = false;
    model::run({{"selects", fibers.fiber(0,
                                         [&] {
                                           const auto take = [&](Result<Item> item) {
                                             item ? ++received : ++closed;
                                           };
                                           static_cast<void>(select(receive(channels.low(), take),
                                                                    receive(channels.high(), take)));
                                         })},
                {"closer", [&] { channels.low().close(); }},
                {"sender", fibers.fiber(1, [&] { sent = channels.high().try_send(Item(1)).has_value(); })}});
    model::check(closed + received == 1, "one branch");
    model::check(sent == (received == 1), "the value is lost to nobody");
  });
}

TEST(ModelSelect, AChannelMayStandInItTwice) {
  ModelFibers fibers;
  model::expect_holds([&] {
    Channel<Item> channel;
    model::name(detail::Access::core(channel), "channel");
    int received = 0;
    model::run({{"selects", fibers.fiber(0,
                                         [&] {
                                           const auto take = [&](Result<Item> item) {
                                             received += item.value().number();
                                           };
                                           static_cast<void>(
                                               select(receive(channel, take), receive(channel, take)));
                                         })},
                {"sender", fibers.fiber(1, [&] { channel.send(Item(1)).value(); })}});
    model::check(received == 1, "once");
  });
}

/// A select as it would be if it queued at one channel after the other, its wait begun: the first design that
/// select.md rejects.
Deed planted_exchange(Channel<Item>& to, int number, Channel<Item>& from) {
  Deed deed;
  Item item(number);
  detail::ElementRoom<Item> room;
  Waiter& self = Waiter::current();
  const WaitTicket ticket = self.begin(Cancellable::kYes);
  ChannelNode sender, receiver;
  sender.waiter = receiver.waiter = &self;
  sender.ticket = receiver.ticket = ticket;
  sender.element = &item;
  sender.win = detail::outcome_of_rank(0);
  receiver.element = room.address();
  receiver.win = detail::outcome_of_rank(1);
  Handover handover;
  const auto look = [&](ChannelCore& core, ChannelNode& node, bool sends) {
    const std::scoped_lock lock(core.lock());
    const ChannelStatus status =
        sends ? core.send_locked(node.element, handover) : core.receive_locked(node.element, handover);
    if (status == ChannelStatus::kWouldBlock)
      sends ? core.add_sender_locked(node) : core.add_receiver_locked(node);
    return status == ChannelStatus::kDone;
  };
  bool sent = look(detail::Access::core(to), sender, true);
  bool received = !sent && look(detail::Access::core(from), receiver, false);
  // Taken, if nobody has won our wait meanwhile; then its partner's cannot be undone.
  const bool taken = sent || received;
  if (taken) ChannelCore::complete(handover, detail::Access::core(to).type());
  if (!taken || !self.word.try_win(ticket, WaitOutcome::kReady)) {
    const WaitOutcome outcome = self.wait();
    sent |= outcome == sender.win;
    received |= outcome == receiver.win;
  }
  {
    const std::scoped_lock lock(detail::Access::core(to).lock());
    if (sender.linked()) detail::Access::core(to).remove_sender_locked(sender);
  }
  {
    const std::scoped_lock lock(detail::Access::core(from).lock());
    if (receiver.linked()) detail::Access::core(from).remove_receiver_locked(receiver);
  }
  deed.sent = sent ? number : 0;
  if (received) deed.received = room.take(ChannelStatus::kDone).value().number();
  model::check(!(sent && received), "exactly one branch");
  return deed;
}

/// Two selects that cross, and a receiver that may come between them.
template <class Exchange>
void two_cross(ModelFibers& fibers, Exchange exchange) {
  Channels channels(0);
  Deed a, b;
  const auto first = fibers.fiber(0, [&] { a = exchange(channels.low(), 1, channels.high()); });
  const auto second = fibers.fiber(1, [&] { b = exchange(channels.high(), 2, channels.low()); });
  int between = 0;
  model::run({{"a", first}, {"b", second}, {"between", [&] {
                                              if (auto item = channels.low().try_receive())
                                                between = item->number();
                                              fibers[0].cancel();  // whoever was left over
                                              fibers[1].cancel();
                                            }}});
  model::check(a.sent + b.sent == a.received + b.received + between, "what was sent was received");
}

TEST(ModelSelect, OneThatComesBetweenTwoThatCrossTakesNothingTwice) {
  ModelFibers fibers;
  model::expect_holds([&] { two_cross(fibers, exchange); });
}

TEST(ModelSelect, PlantedASelectThatQueuesAtOneChannelAfterTheOtherIsFound) {
  ModelFibers fibers;
  model::expect_fails(FailureKind::kCheck, [&] { two_cross(fibers, planted_exchange); });
}

/// Locks in the order of the branches.
TEST(ModelSelect, PlantedLocksInTheOrderOfTheBranchesAreFound) {
  ModelFibers fibers;
  model::expect_fails(FailureKind::kDeadlock, [&] {
    Channels channels(0);
    const auto lock_both = [](Channel<Item>& first, Channel<Item>& second) {
      const std::scoped_lock one(detail::Access::core(first).lock());
      const std::scoped_lock other(detail::Access::core(second).lock());
    };
    model::run({{"a", [&] { lock_both(channels.low(), channels.high()); }},
                {"b", [&] { lock_both(channels.high(), channels.low()); }}});
  });
}

}  // namespace
}  // namespace weft
