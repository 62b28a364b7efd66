/// One HTTP/1.1 connection, from its first request to its end.
#pragma once

#include <Poco/Net/StreamSocket.h>

#include <cstdint>
#include <functional>

#include "listener.h"

namespace tokensync::standin {

/// Serves the connection until either side ends it, calls `before_close` once while its descriptor is still its own,
/// and closes it. Nothing is thrown for what the peer does.
void ServeConnection(Poco::Net::StreamSocket socket, std::uint64_t number, const ListenerCalls& calls,
                     const std::function<void()>& before_close);

}  // namespace tokensync::standin
