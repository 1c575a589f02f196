// SPDX-License-Identifier: Apache-2.0
// The broadcast channel (docs/design/broadcast.md), with the shipping source: each subscriber receives each
// value once, whatever meets. A portion is one waiter here, so what comes between two portions is explored.
#include "model/bounds.hpp"
#include "model/runtime/fibers.hpp"
#include "model/runtime/item.hpp"
#include "sync/broadcast/broadcast_core.hpp"

#include <weft/broadcast_channel.hpp>

#include <memory>
#include <mutex>
#include <optional>

namespace weft {
namespace {

using Cancellable = WaitWord::Cancellable;
using model::FailureKind;
using model::Item;
using model::ModelFibers;

using Broadcast = BroadcastChannel<Item>;
using Subscriber = BroadcastSubscriber<Item>;

/// Receives until the channel is closed: 1, 2 and so on, to `count`.
void receives_all(Subscriber& subscriber, int count) {
  int last = 0;
  for (;;) {
    const auto item = subscriber.receive();
    if (!item) {
      model::check(item.error() == Errc::closed && last == count, "all of them, then the end");
      return;
    }
    model::check((*item)->number() == ++last, "each once, in order");
  }
}

/// One sends to two subscribers.
void everybody_receives_everything(ModelFibers& fibers, std::size_t capacity, int count) {
  Broadcast channel(capacity);
  model::name(detail::Access::core(channel), "channel");
  Subscriber first = channel.subscribe();
  Subscriber second = channel.subscribe();
  model::run({{"sender", fibers.fiber(0,
                                      [&] {
                                        for (int i = 1; i <= count; ++i)
                                          model::check(channel.send(Item(i)).has_value(), "sent");
                                        channel.close();
                                      })},
              {"first", fibers.fiber(1, [&] { receives_all(first, count); })},
              {"second", fibers.fiber(2, [&] { receives_all(second, count); })}});
}

TEST(ModelBroadcast, EverySubscriberReceivesEachValueOnce) {
  ModelFibers fibers;
  model::expect_holds(model::bounded(2), [&] { everybody_receives_everything(fibers, 1, 1); });
  model::expect_holds(model::at_random(5'000), [&] { everybody_receives_everything(fibers, 1, 3); });
  model::expect_holds(model::at_random(5'000), [&] { everybody_receives_everything(fibers, 2, 4); });
}

TEST(ModelBroadcast, ASenderAndAReceiverWaitInTurn) {
  ModelFibers fibers;
  model::expect_holds([&] {
    Broadcast channel(1);
    model::name(detail::Access::core(channel), "channel");
    Subscriber subscriber = channel.subscribe();
    model::run({{"sender", fibers.fiber(0,
                                        [&] {
                                          for (int i = 1; i <= 3; ++i)
                                            model::check(channel.send(Item(i)).has_value(), "sent");
                                          channel.close();
                                        })},
                {"receiver", fibers.fiber(1, [&] { receives_all(subscriber, 3); })}});
  });
}

TEST(ModelBroadcast, WhatASlowOneReceivesAndLosesIsAllThatWasSent) {
  ModelFibers fibers;
  model::expect_holds([&] {
    Broadcast channel(1, SlowSubscriber::kLosesOldest);
    model::name(detail::Access::core(channel), "channel");
    Subscriber subscriber = channel.subscribe();
    std::uint64_t received = 0;
    model::run({{"sender", fibers.fiber(0,
                                        [&] {
                                          for (int i = 1; i <= 3; ++i)
                                            model::check(channel.send(Item(i)).has_value(), "sent");
                                          channel.close();
                                        })},
                {"receiver", fibers.fiber(1, [&] {
                   int last = 0;
                   for (;;) {
                     const auto item = subscriber.receive();
                     if (!item && item.error() == Errc::lagged) continue;
                     if (!item) return;
                     model::check((*item)->number() > last, "in order");
                     last = (*item)->number();
                     ++received;
                   }
                 })}});
    model::check(received + subscriber.lost() == 3, "it was told of each");
  });
}

/// The receiver is cancelled while a value is sent: it has it, or it is still there for it.
TEST(ModelBroadcast, ACancelledReceiveHasReceivedNothing) {
  ModelFibers fibers;
  model::expect_holds([&] {
    Broadcast channel(1);
    model::name(detail::Access::core(channel), "channel");
    Subscriber subscriber = channel.subscribe();
    bool received = false;
    model::run({{"receiver", fibers.fiber(0,
                                          [&] {
                                            const auto item = subscriber.receive();
                                            received = item.has_value();
                                            model::check(received || item.error() == Errc::cancelled,
                                                         "or so");
                                          })},
                {"sender", fibers.fiber(1, [&] { model::check(channel.send(Item(1)).has_value(), "sent"); })},
                {"canceller", [&] { fibers[0].cancel(); }}});
    model::check(subscriber.size() == (received ? 0 : 1), "it is in one place");
  });
}

/// The sender waits for room and is cancelled while there comes some.
TEST(ModelBroadcast, ACancelledSendHasSentNothing) {
  ModelFibers fibers;
  model::expect_holds([&] {
    Broadcast channel(1);
    model::name(detail::Access::core(channel), "channel");
    Subscriber subscriber = channel.subscribe();
    model::check(channel.try_send(Item(1)).has_value(), "there is room");
    bool sent = false;
    model::run(
        {{"sender", fibers.fiber(0,
                                 [&] {
                                   const auto result = channel.send(Item(2));
                                   sent = result.has_value();
                                   model::check(sent || result.error() == Errc::cancelled, "or so");
                                 })},
         {"receiver", fibers.fiber(1, [&] { model::check((*subscriber.receive())->number() == 1, "one"); })},
         {"canceller", [&] { fibers[0].cancel(); }}});
    const auto item = subscriber.try_receive();
    model::check(item.has_value() == sent && (!sent || (*item)->number() == 2), "both or none");
  });
}

/// The slowest leaves while a sender waits for it: it goes on, and the other one receives what it sent.
void one_leaves(ModelFibers& fibers) {
  Broadcast channel(1);
  model::name(detail::Access::core(channel), "channel");
  std::optional<Subscriber> slow(channel.subscribe());
  Subscriber other = channel.subscribe();
  model::check(channel.try_send(Item(1)).has_value(), "there is room");
  const auto sends = [&] { model::check(channel.send(Item(2)).has_value(), "sent"); };
  model::run({{"one", fibers.fiber(0, sends)},
              {"other", fibers.fiber(1,
                                     [&] {
                                       for (int i = 0; i < 2; ++i)
                                         model::check((*other.receive())->number() == i + 1, "in order");
                                     })},
              {"leaves", [&] { slow.reset(); }}});
  model::check(other.try_receive().error() == Errc::would_block, "nothing else");
}

TEST(ModelBroadcast, ASubscriberThatLeavesKeepsNobody) {
  ModelFibers fibers;
  model::expect_holds([&] { one_leaves(fibers); });
}

TEST(ModelBroadcast, TheLastOneToLeaveKeepsNobody) {
  ModelFibers fibers;
  model::expect_holds([&] {
    Broadcast channel(1);
    model::name(detail::Access::core(channel), "channel");
    std::optional<Subscriber> only(channel.subscribe());
    model::check(channel.try_send(Item(1)).has_value(), "there is room");
    const auto sends = [&] { model::check(channel.send(Item(2)).has_value(), "sent"); };
    model::run({{"one", fibers.fiber(0, sends)}, {"two", fibers.fiber(1, sends)}, {"leaves", [&] {
                                                                                     only.reset();
                                                                                   }}});
  });
}

TEST(ModelBroadcast, ACloseEndsAllThatWait) {
  ModelFibers fibers;
  model::expect_holds([&] {
    Broadcast channel(1);
    model::name(detail::Access::core(channel), "channel");
    Subscriber full = channel.subscribe();
    model::check(channel.try_send(Item(1)).has_value(), "there is room");
    Subscriber empty = channel.subscribe();
    bool sent = false;
    model::run({{"sender", fibers.fiber(0,
                                        [&] {
                                          const auto result = channel.send(Item(2));
                                          sent = result.has_value();
                                          model::check(sent || result.error() == Errc::closed, "or closed");
                                        })},
                {"receiver",
                 fibers.fiber(1, [&] { model::check(empty.receive().error() == Errc::closed, "told"); })},
                {"closer", [&] { model::check(channel.close(), "by it alone"); }}});
    model::check(!sent, "there was no room");
    model::check((*full.receive())->number() == 1 && full.receive().error() == Errc::closed, "drained");
  });
}

/// Two receive, and destroy the channel and their subscribers, while the send that woke them is between two
/// portions.
template <class Send>
void the_receivers_destroy_it(ModelFibers& fibers, Send send) {
  auto channel = std::make_unique<Broadcast>(1);
  model::name(detail::Access::core(*channel), "channel");
  std::optional<Subscriber> first(channel->subscribe());
  std::optional<Subscriber> second(channel->subscribe());
  model::run({{"sender", fibers.fiber(0, [&, raw = channel.get()] { send(*raw); })},
              {"destroyer", fibers.fiber(1,
                                         [&] {
                                           model::check(first->receive().has_value(), "received");
                                           channel.reset();
                                           first.reset();
                                         })},
              {"other", fibers.fiber(2, [&] {
                 model::check(second->receive().has_value(), "received");
                 second.reset();
               })}});
}

TEST(ModelBroadcast, TheReceiversMayDestroyItWhileTheSendIsOnItsWayOut) {
  ModelFibers fibers;
  model::expect_holds(model::bounded(3), [&] {
    the_receivers_destroy_it(
        fibers, [](Broadcast& channel) { model::check(channel.send(Item(1)).has_value(), "sent"); });
  });
}

TEST(ModelBroadcast, PlantedALookAtTheChannelAfterTheSendIsFound) {
  ModelFibers fibers;
  model::expect_fails(model::bounded(3), FailureKind::kLifetime, [&] {
    the_receivers_destroy_it(fibers,
                             [core = static_cast<BroadcastCore*>(nullptr)](Broadcast& channel) mutable {
                               core = &detail::Access::core(channel);
                               static_cast<void>(channel.send(Item(1)));
                               static_cast<void>(core->closed());
                             });
  });
}

TEST(ModelBroadcast, PlantedAReceiverThatQueuesAfterItsLookIsFound) {
  ModelFibers fibers;
  model::expect_fails(FailureKind::kDeadlock, [&] {
    Broadcast channel(1);
    Subscriber subscriber = channel.subscribe();
    model::run({{"receiver", fibers.fiber(0,
                                          [&] {
                                            BroadcastCore& core = detail::Access::core(channel);
                                            auto& place = detail::Access::subscription(subscriber);
                                            detail::SharedValue value;
                                            if (core.try_receive(place, value) == ChannelStatus::kDone)
                                              return;
                                            Waiter& self = Waiter::current();  // here somebody sends
                                            PositionNode node;
                                            node.waiter = &self;
                                            {
                                              const std::scoped_lock lock(core.lock());
                                              node.ticket = self.begin(Cancellable::kNo);
                                              core.add_receiver_locked(place, node);
                                            }
                                            self.wait();
                                            const std::scoped_lock lock(core.lock());
                                            core.remove_receiver_locked(place, node);
                                          })},
                {"sender", [&] { static_cast<void>(channel.try_send(Item(1))); }}});
  });
}

}  // namespace
}  // namespace weft
