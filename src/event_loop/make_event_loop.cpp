// SPDX-License-Identifier: Apache-2.0
#include "event_loop/make_event_loop.hpp"

#include "event_loop/polling/epoll_event_loop.hpp"
#include "event_loop/registration/registration.hpp"

namespace weft {

std::unique_ptr<EventLoop> make_event_loop(const EventLoopStrategy& strategy) {
  return EpollEventLoop::create(RegistrationPolicy::of(strategy)).value();
}

}  // namespace weft
