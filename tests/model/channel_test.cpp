// SPDX-License-Identifier: Apache-2.0
// The channel (docs/design/channel.md), with the shipping source: an element is in one place (C4), whatever
// meets. What is received while it is still being moved is a data race of the model.
#include "model/bounds.hpp"
#include "model/runtime/fibers.hpp"
#include "model/runtime/item.hpp"
#include "sync/channel_core.hpp"

#include <weft/channel.hpp>

#include <memory>
#include <mutex>
#include <vector>

namespace weft {
namespace {

using Cancellable = WaitWord::Cancellable;
using model::FailureKind;
using model::Item;
using model::ModelFibers;

using ItemChannel = Channel<Item>;

int number_of(const Item& item) { return item.number(); }
int number_of(int item) { return item; }

template <class T>
void name_channel(Channel<T>& channel, const char* name) {
  model::name(detail::Access::core(channel), name);
}

/// One sends 1 to `count`, the other receives them in that order.
template <class T = Item>
void everything_arrives(ModelFibers& fibers, std::size_t capacity, int count) {
  Channel<T> channel(capacity);
  name_channel(channel, "channel");
  model::run({{"sender", fibers.fiber(0,
                                      [&] {
                                        for (int i = 1; i <= count; ++i)
                                          model::check(channel.send(T(i)).has_value(), "sent");
                                      })},
              {"receiver", fibers.fiber(1, [&] {
                 for (int i = 1; i <= count; ++i) {
                   const auto item = channel.receive();
                   model::check(item && number_of(*item) == i, "in that order");
                 }
               })}});
  model::check(channel.empty(), "nothing is left");
}

TEST(ModelChannel, ARendezvousHandsOverEachValueOnce) {
  ModelFibers fibers;
  model::expect_holds([&] { everything_arrives(fibers, 0, 2); });
}

TEST(ModelChannel, ABufferGoesRoundAndKeepsTheOrder) {
  ModelFibers fibers;
  model::expect_holds([&] { everything_arrives(fibers, 1, 3); });
  model::expect_holds([&] { everything_arrives(fibers, 2, 4); });
}

TEST(ModelChannel, WhatIsMovedByCopyingItTakesTheSameSteps) {
  ModelFibers fibers;
  model::expect_holds([&] { everything_arrives<int>(fibers, 0, 2); });
  model::expect_holds([&] { everything_arrives<int>(fibers, 2, 4); });
}

/// Two send, a third receives what they have; nothing is in two places.
void two_send(ModelFibers& fibers, std::size_t capacity, int each) {
  ItemChannel channel(capacity);
  name_channel(channel, "channel");
  std::vector<int> got;
  const auto sends = [&](int first) {
    for (int i = 0; i < each; ++i) model::check(channel.send(Item(first + i)).has_value(), "sent");
  };
  model::run({{"first", fibers.fiber(0, [&] { sends(10); })},
              {"second", fibers.fiber(1, [&] { sends(20); })},
              {"receiver", fibers.fiber(2, [&] {
                 for (int i = 0; i < 2 * each; ++i) got.push_back(channel.receive().value().number());
               })}});
  int next[] = {10, 20};
  for (const int number : got)
    model::check(number == next[number >= 20]++, "each once, in its sender's order");
}

TEST(ModelChannel, TwoSendersMeetOneReceiver) {
  ModelFibers fibers;
  model::expect_holds([&] { two_send(fibers, 0, 1); });
  model::expect_holds([&] { two_send(fibers, 1, 1); });
}

TEST(ModelChannel, TwoSendersMeetOneReceiverAgainAndAgain) {
  ModelFibers fibers;
  for (const std::size_t capacity : {std::size_t{0}, std::size_t{1}, std::size_t{2}})
    model::expect_holds(model::at_random(3'000), [&] { two_send(fibers, capacity, 3); });
}

/// A send, a receive that goes on until the channel is closed, and a close.
void close_meets_both(ModelFibers& fibers, std::size_t capacity) {
  ItemChannel channel(capacity);
  name_channel(channel, "channel");
  bool sent = false, kept = false;
  int received = 0;
  model::run({{"sender", fibers.fiber(0,
                                      [&] {
                                        Item item(1);
                                        const Result<void> result = channel.send(std::move(item));
                                        sent = result.has_value();
                                        kept = item.number() == 1;
                                        model::check(sent || result.error() == Errc::closed, "or closed");
                                      })},
              {"receiver", fibers.fiber(1,
                                        [&] {
                                          for (;;) {
                                            const auto item = channel.receive();
                                            if (!item) return;
                                            model::check(item->number() == 1, "whole");
                                            ++received;
                                          }
                                        })},
              {"closer", [&] { model::check(channel.close(), "by it alone"); }}});
  model::check(sent != kept && received == (sent ? 1 : 0), "it was received, or its sender has kept it");
  model::check(channel.empty(), "nothing is left");
}

TEST(ModelChannel, AValueThatMeetsACloseIsReceivedOrKept) {
  ModelFibers fibers;
  for (const std::size_t capacity : {std::size_t{0}, std::size_t{1}})
    model::expect_holds([&] { close_meets_both(fibers, capacity); });
}

TEST(ModelChannel, OneOfTwoCloses) {
  ModelFibers fibers;
  model::expect_holds([&] {
    ItemChannel channel;
    int closed = 0;
    const auto close = [&] { closed += channel.close(); };
    model::run({{"one", close}, {"other", close}, {"receiver", fibers.fiber(0, [&] {
                                                     model::check(channel.receive().error() == Errc::closed,
                                                                  "told once");
                                                   })}});
    model::check(closed == 1, "one of them");
  });
}

/// `waits` is the receiver or the sender, the other one tries; the first is cancelled meanwhile.
void cancel_meets_a_hand_over(ModelFibers& fibers, bool receiver_waits) {
  ItemChannel channel;
  name_channel(channel, "channel");
  bool done = false, tried = false;
  const auto waits = [&] {
    if (receiver_waits) {
      const auto item = channel.receive();
      model::check(item ? item->number() == 1 : item.error() == Errc::cancelled, "or cancelled");
      done = item.has_value();
    } else {
      Item item(1);
      done = channel.send(std::move(item)).has_value();
      model::check(done == item.moved(), "a send that fails keeps its value");
    }
  };
  const auto tries = [&] {
    if (receiver_waits) {
      Item item(1);
      tried = channel.try_send(std::move(item)).has_value();
      model::check(tried == item.moved(), "a send that fails keeps its value");
    } else {
      const auto item = channel.try_receive();
      model::check(item ? item->number() == 1 : item.error() == Errc::would_block, "or nothing");
      tried = item.has_value();
    }
  };
  model::run({{"waits", fibers.fiber(0, waits)}, {"tries", fibers.fiber(1, tries)}, {"canceller", [&] {
                                                                                       fibers[0].cancel();
                                                                                     }}});
  model::check(done == tried, "both or none");
}

TEST(ModelChannel, AHandOverAndACancelNeverCross) {
  ModelFibers fibers;
  for (const bool receiver_waits : {true, false})
    model::expect_holds([&] { cancel_meets_a_hand_over(fibers, receiver_waits); });
}

/// C6: the receiver of the last value destroys the channel while the send() has not returned.
template <class Send>
void the_last_receiver_destroys_it(ModelFibers& fibers, std::size_t capacity, Send send) {
  auto channel = std::make_unique<ItemChannel>(capacity);
  name_channel(*channel, "channel");
  model::run({{"sender", fibers.fiber(0, [&, raw = channel.get()] { send(*raw); })},
              {"destroyer", fibers.fiber(1, [&] {
                 model::check(channel->receive().has_value(), "received");
                 channel.reset();
               })}});
}

TEST(ModelChannel, TheReceiverOfTheLastValueMayDestroyIt) {
  ModelFibers fibers;
  for (const std::size_t capacity : {std::size_t{0}, std::size_t{1}}) {
    model::expect_holds([&] {
      the_last_receiver_destroys_it(fibers, capacity, [](ItemChannel& channel) {
        model::check(channel.send(Item(1)).has_value(), "sent");
      });
    });
  }
}

TEST(ModelChannel, PlantedALookAtTheChannelAfterTheSendIsFound) {
  ModelFibers fibers;
  model::expect_fails(FailureKind::kLifetime, [&] {
    the_last_receiver_destroys_it(fibers, 1, [](ItemChannel& channel) {
      static_cast<void>(channel.send(Item(1)));
      static_cast<void>(channel.size());
    });
  });
}

/// One value from a plain thread to a receiver, with a `receive` or a `send` that has an error in it.
template <class Receive, class Send>
void one_is_handed_over(ModelFibers& fibers, Receive receive, Send send) {
  ItemChannel channel(1);
  model::run({{"receiver", fibers.fiber(0,
                                        [&] {
                                          Item item(0);
                                          receive(detail::Access::core(channel), item);
                                          model::check(item.number() == 1, "it has arrived");
                                        })},
              {"sender", fibers.fiber(1, [&] {
                 Item item(1);
                 send(detail::Access::core(channel), item);
               })}});
}

void shipping_receive(ChannelCore& core, Item& item) {
  item = [&] {
    detail::ElementRoom<Item> room;
    return room.take(core.receive(room.address(), Deadline::never())).value();
  }();
}

TEST(ModelChannel, PlantedAReceiverThatQueuesAfterItsLookIsFound) {
  ModelFibers fibers;
  const auto receive = [](ChannelCore& core, Item& item) {
    Handover handover;
    detail::ElementRoom<Item> room;
    {
      const std::scoped_lock lock(core.lock());
      if (core.receive_locked(room.address(), handover) == ChannelStatus::kDone) {
        item = room.take(ChannelStatus::kDone).value();
        return;
      }
    }
    Waiter& self = Waiter::current();  // here somebody sends
    ChannelNode node;
    node.waiter = &self;
    node.element = room.address();
    {
      const std::scoped_lock lock(core.lock());
      node.ticket = self.begin(Cancellable::kNo);
      core.add_receiver_locked(node);
    }
    self.wait();
    item = room.take(ChannelStatus::kDone).value();
  };
  model::expect_fails(FailureKind::kDeadlock, [&] {
    one_is_handed_over(fibers, receive, [](ChannelCore& core, Item& item) {
      static_cast<void>(core.send(&item, Deadline::never()));
    });
  });
}

TEST(ModelChannel, PlantedAWakeUpBeforeTheMoveIsFound) {
  ModelFibers fibers;
  const auto send = [](ChannelCore& core, Item& item) {
    Handover handover;
    core.lock().lock();
    const ChannelStatus status = core.send_locked(&item, handover);
    core.lock().unlock();
    model::check(status == ChannelStatus::kDone, "there is room");
    if (handover.partner == nullptr) return;
    handover.partner->transferred = true;
    handover.partner->waiter->wake();
    core.type().move(handover.to, handover.from);
  };
  model::expect_fails(FailureKind::kDataRace, [&] { one_is_handed_over(fibers, shipping_receive, send); });
}

}  // namespace
}  // namespace weft
