#include "narration.h"

#include <vector>

namespace tokensync {

namespace {

constexpr std::size_t kDifferenceTextMax = 200;

/// The beginning of a long text, never ending within a character.
std::string Cut(const std::string& text) {
  if (text.size() <= kDifferenceTextMax) return text;
  std::size_t end = kDifferenceTextMax;
  while (end > 0 && (static_cast<unsigned char>(text[end]) & 0xC0) == 0x80) --end;
  return text.substr(0, end) + "…";
}

/// "image: sent "a", kept nothing; …"
std::string Describe(const std::vector<FieldDifference>& differences) {
  std::string text;
  for (const FieldDifference& difference : differences) {
    if (!text.empty()) text += "; ";
    text += difference.field + ": sent " + (difference.sent.empty() ? "nothing" : Cut(difference.sent)) + ", kept " +
            (difference.kept.empty() ? "nothing" : Cut(difference.kept));
  }
  return text;
}

}  // namespace

std::string DetailOf(const Completion& completion) {
  if (const auto* created = std::get_if<Created>(&completion.created);
      completion.kind == CallKind::kCreate && created) {
    return created->differences.empty() ? ""
                                        : "the reply differs from what was sent: " + Describe(created->differences);
  }
  if (const auto* found = std::get_if<Found>(&completion.read); completion.kind == CallKind::kRead && found) {
    return found->differences.empty() ? "" : "the service holds another token: " + Describe(found->differences);
  }
  return "";
}

std::string AnswerText(const ServiceAnswer& answer) {
  std::string said = answer.message;
  if (!answer.cause.empty()) said += (said.empty() ? "" : ": ") + answer.cause;
  if (answer.http_status) said = "HTTP " + std::to_string(*answer.http_status) + (said.empty() ? "" : " ") + said;
  return said;
}

std::string NumbersOf(const PlanCounts& counts) {
  return std::to_string(counts.create) + " to create, " + std::to_string(counts.resolve) + " to resolve, " +
         std::to_string(counts.changed + counts.removed + counts.settled + counts.withdrawn) + " to report";
}

std::string StopText(StopReason reason, const ServiceAnswer& answer) {
  const std::string said = AnswerText(answer);
  switch (reason) {
    case StopReason::kUnreachable:
      return "the metadata service cannot be reached (" + said + ")";
    case StopReason::kFailing:
      return "the metadata service fails call after call (" + said + ")";
    case StopReason::kCredential:
      return "the metadata service refuses our credential (" + said + ")";
    case StopReason::kEndpoint:
      return "api.endpoint does not serve the calls that are needed (" + said + ")";
    case StopReason::kQuota:
      return "the project's quota at the metadata service is used up (" + said + ")";
  }
  return said;
}

std::string_view NoticeName(NoticeKind kind) {
  switch (kind) {
    case NoticeKind::kHeadRefused:
      return "head-refused";
    case NoticeKind::kHistoryRewritten:
      return "history-rewritten";
    case NoticeKind::kPlanHeld:
      return "plan-held";
    case NoticeKind::kPlanApproved:
      return "plan-approved";
  }
  return "";
}

}  // namespace tokensync
