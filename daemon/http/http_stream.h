/// The bytes of one accepted connection, plain or through TLS, never waiting.
///
/// This header is for the files of this folder only: it shows Poco.
#pragma once

#include <Poco/Net/Context.h>
#include <Poco/Net/StreamSocket.h>

#include <cstddef>
#include <string>
#include <string_view>

#include "open_file.h"

namespace tokensync {

/// How far an operation came.
enum class HttpProgress {
  kDone,       ///< the handshake is over; or some bytes went through
  kWantRead,   ///< goes on when the socket can be read
  kWantWrite,  ///< goes on when the socket can be written to
  kEnded       ///< the peer has closed, or the connection is broken
};

/// One thread at a time. Nothing is thrown for what the peer does; signals are never raised on a thread that blocks
/// them.
class HttpStream {
 public:
  /// `certificate` null: plain.
  HttpStream(OpenFile socket, const Poco::Net::Context::Ptr& certificate);
  ~HttpStream();
  HttpStream(const HttpStream&) = delete;
  HttpStream& operator=(const HttpStream&) = delete;

  int fd() const { return fd_; }
  bool tls() const { return tls_; }

  /// The next step of the TLS handshake; kDone at once where the stream is plain.
  HttpProgress Handshake();
  /// Appends what is there, some 16 KiB at most.
  HttpProgress Receive(std::string& bytes);
  /// Takes what went through off the front.
  HttpProgress Send(std::string_view& bytes);
  /// Tells the peer that nothing more comes. What it still sends can be dropped with Discard().
  void EndSending();
  /// Reads and forgets what is there, past any TLS: kWantRead, or kEnded.
  HttpProgress Discard();

 private:
  template <typename Operation>
  HttpProgress Try(HttpProgress wants, std::size_t& bytes, const Operation& operation);

  const int fd_;
  const bool tls_;
  Poco::Net::StreamSocket socket_;
};

}  // namespace tokensync
