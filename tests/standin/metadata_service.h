/// The service without its sockets: a request becomes a delivery.
#pragma once

#include <atomic>
#include <optional>
#include <string>

#include "call_log.h"
#include "collections.h"
#include "delivery.h"
#include "fault_injector.h"
#include "pauses.h"
#include "standin_server.h"
#include "token_store.h"

namespace tokensync::standin {

/// Used from any thread.
class MetadataService {
 public:
  explicit MetadataService(const StandinOptions& options);

  /// Takes as long as latency and holds want. The request is counted and recorded on return.
  Delivery Answer(Request request);

  /// Ends all waiting in Answer(), also what would begin later.
  void Stop() { pauses_.Stop(); }
  void Reset();

  TokenStore& store() { return store_; }
  CallLog& log() { return log_; }
  FaultInjector& faults() { return faults_; }
  Pauses& pauses() { return pauses_; }
  Collections& collections() { return collections_; }
  std::uint64_t late_pending() const { return late_.pending(); }

 private:
  /// Throws CallRefused for what the service refuses before it looks at the body.
  Method Admitted(const Request& request, std::optional<Method> method, const Behaviour& behaviour) const;
  /// Carries out, counts, and gives the reply: 200 or a refusal.
  Reply Carry(const CheckedCall& call, const Behaviour& behaviour, bool& applied);
  Delivery Struck(const FaultRule& rule, const CheckedCall& call, const Behaviour& behaviour, bool& applied);

  const std::string bearer_;
  TokenStore store_;
  Collections collections_;
  CallLog log_;
  FaultInjector faults_;
  Pauses pauses_;
  LateTasks late_;  // last: its thread uses all the others
};

}  // namespace tokensync::standin
