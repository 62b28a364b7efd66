/// What a reply of the service makes true: the tables of the service's protocol, as three pure functions.
///
/// A reply is judged by its HTTP status first, then by the error's name, then by its code, and an outcome never claims
/// more than the reply shows.
#pragma once

#include "foreign_text.h"
#include "http_reply.h"
#include "ports.h"

namespace tokensync {

struct CreateReading {
  CreateOutcome outcome;
  ServiceAnswer answer;
  RateHint hint;
};

struct ReadReading {
  ReadOutcome outcome;
  ServiceAnswer answer;
  RateHint hint;
};

struct ListReading {
  ListOutcome outcome;
  ServiceAnswer answer;
  RateHint hint;
};

/// The reply to a CreateToken that was sent whole. `now` is what a date in the reply is counted from; every text of the
/// service goes through `foreign`.
///
/// | reply | outcome |
/// |---|---|
/// | 200, complete, its token's tokenId is ours | Created, with what the token does not show as it was sent |
/// | 409; 400 or another 4xx with RequestConflict | AlreadyThere |
/// | 413; 400 WebrpcBadRequest, InvalidArgument, RequiredArgument, ValidationFailed | Refused for good |
/// | 428, 429; 400 RateLimited | Throttled |
/// | 401, 403, 451; 400 ProjectNotFound, Unauthorized … | Unauthorized, kCredential |
/// | 3xx, 404, 405, 407; 400 WebrpcBadRoute … | Unauthorized, kEndpoint |
/// | 423; 400 QuotaExceeded | Unauthorized, kQuotaExhausted |
/// | 400 or another 4xx with any other error | Refused after bounded tries |
/// | 408, 499, 5xx, any other 2xx; 400 of a call that broke off within the service, or cut short | Unknown |
CreateReading ClassifyCreate(const HttpReply& reply, const Call& call, TimePoint now, const ForeignText& foreign);

/// The reply to a GetToken.
///
/// | reply | outcome |
/// |---|---|
/// | 200, complete, its token's tokenId is ours | Found |
/// | 400 NotFound | Absent |
/// | 405; 400 or 404 with the webrpc error of a bad route or method | Unsupported |
/// | 404 without a webrpc error; 3xx, 407 | Unauthorized, kEndpoint |
/// | 401, 403, 451, 423, 428, 429 and their errors with 400 | as for a create |
/// | anything else | ReadingFailed |
ReadReading ClassifyRead(const HttpReply& reply, const Call& call, TimePoint now, const ForeignText& foreign);

/// The reply to a ListTokens.
///
/// | reply | outcome |
/// |---|---|
/// | 200, complete, a list of tokens (or null, or none) and a page that tells whether there are more | Listed |
/// | 400 NotFound to the first page | Listed, nothing: the collection is not there, so nothing is in it |
/// | 413; 400 WebrpcBadRequest, InvalidArgument, RequiredArgument, ValidationFailed | Refused for good |
/// | 405; 4xx with the webrpc error of a bad route or method | Unsupported |
/// | 404 without a webrpc error; 3xx, 407 | Unauthorized, kEndpoint |
/// | 401, 403, 451, 423, 428, 429 and their errors with 400 | as for a create |
/// | 400 or another 4xx but 404, 408, 499 with any other error | Refused after bounded tries |
/// | anything else | ReadingFailed |
///
/// What a page is, and what becomes of odd ones, is in page_reading.h; where tokens are left out, the answer's message
/// tells how many.
ListReading ClassifyList(const HttpReply& reply, const Call& call, TimePoint now, const ForeignText& foreign);

}  // namespace tokensync
