/// The Collections calls as the service carries them out: a request body becomes a checked call, a call changes or
/// reads the store, and the result is a reply body.
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "standin_faults.h"
#include "standin_json.h"
#include "standin_server.h"
#include "token_store.h"

namespace tokensync::standin {

enum class Method { kCreateToken, kGetToken, kListTokens, kUpdateToken, kDeleteToken };

std::string_view MethodName(Method method);
std::optional<Method> FindMethod(std::string_view name);

/// A number as the service folds it: "007", "+7" and "0x7" are "7". Throws CallRefused for what is no uint256.
std::string FoldTokenId(std::string_view text);

/// A call that was read and found in order.
struct CheckedCall {
  Method method = Method::kCreateToken;
  TokenName token;
  FieldsPtr fields;  ///< of create and update: what is kept of the token; see StoredToken::fields
  bool is_private = true;
  std::uint64_t page = 0;  ///< counts from 0
  std::uint64_t page_size = 0;
};

enum class Change { kNone, kCreated, kUpdated, kDeleted };

/// A call that was carried out.
struct Carried {
  Change change = Change::kNone;
  std::string body;  ///< of the 200 reply
};

class Collections {
 public:
  /// `projects`: those that exist; empty: any. The store outlives this.
  Collections(TokenStore& store, std::vector<std::uint64_t> projects) : store_(store), projects_(std::move(projects)) {}

  /// Throws CallRefused. `name` is set as far as the body tells it, also then.
  CheckedCall Read(Method method, std::string_view body, const Behaviour& behaviour, TokenName& name) const;

  /// Throws CallRefused; nothing was changed then.
  Carried Carry(const CheckedCall& call, const Behaviour& behaviour);

  /// The token of a create request, read alone.
  CheckedCall ReadToken(TokenName name, std::string_view token_json, const Behaviour& behaviour) const;

 private:
  TokenStore& store_;
  std::vector<std::uint64_t> projects_;
};

}  // namespace tokensync::standin
