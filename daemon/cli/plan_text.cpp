#include "plan_text.h"

#include <fmt/format.h>

#include <algorithm>
#include <vector>

#include "json_parts.h"
#include "overloaded.h"
#include "paint.h"
#include "text.h"
#include "time_text.h"

namespace tokensync {

namespace {

/// A key that is longer than this moves its own line only.
constexpr std::size_t kKeyColumnsMax = 40;
constexpr std::size_t kVerbColumns = 9;

struct Look {
  char symbol;
  std::string_view verb;
  Ink ink;
};

Look LookOf(const Action& action) {
  return std::visit(Overloaded{[](const Create&) {
                                 return Look{'+', "create", Ink::kGreen};
                               },
                               [](const Resolve&) {
                                 return Look{'?', "resolve", Ink::kMagenta};
                               },
                               [](const Report& report) {
                                 switch (report.kind) {
                                   case ReportKind::kChanged:
                                     return Look{'~', "changed", Ink::kYellow};
                                   case ReportKind::kRemoved:
                                     return Look{'-', "removed", Ink::kRed};
                                   case ReportKind::kSettled:
                                     return Look{'=', "settled", Ink::kBlue};
                                   case ReportKind::kWithdrawn:
                                     return Look{'x', "withdrawn", Ink::kDim};
                                 }
                                 return Look{' ', "", Ink::kPlain};
                               },
                               [](const SurveyCollection&) {
                                 return Look{'>', "survey", Ink::kBlue};
                               }},
                    action);
}

std::string PlaceOf(const Action& action) {
  if (std::holds_alternative<SurveyCollection>(action)) return "(the collection)";
  const Entry* entry = EntryOf(action);
  if (entry == nullptr) return "(not in git)";
  return fmt::format("{}:{}", PrintableText(entry->manifest->path), entry->line);
}

std::string DueText(TimePoint due, TimePoint now) {
  return due > now ? "due in " + FormatDuration(due - now) : "";
}

std::string AttemptText(std::uint32_t attempt) {
  return attempt > 1 ? fmt::format("attempt {}", attempt) : "";
}

std::string HowText(const Resolve& resolve) {
  if (resolve.reopen) return "read back: it exists, and is compared with what git declares";
  switch (resolve.by) {
    case ResolveBy::kReading:
      return "read back";
    case ResolveBy::kResending:
      return "send again";
    case ResolveBy::kConcluding:
      return "exists, cannot be read";
  }
  return "";
}

std::string ReportText(const Report& report) {
  if (!report.recorded) return "";
  std::string text = "recorded " + ShortHex(report.recorded->Hex());
  if (report.kind == ReportKind::kChanged && report.entry != nullptr) {
    text += ", git " + ShortHex(report.entry->digest.Hex());
  }
  return text;
}

std::string NoteOf(const Action& action, TimePoint now) {
  std::vector<std::string> notes = std::visit(
      Overloaded{[&](const Create& create) {
                   return std::vector{AttemptText(create.attempt), DueText(create.due, now)};
                 },
                 [&](const Resolve& resolve) {
                   return std::vector{HowText(resolve), DueText(resolve.due, now)};
                 },
                 [&](const Report& report) { return std::vector{ReportText(report)}; },
                 [&](const SurveyCollection& survey) {
                   return std::vector<std::string>{"listed before anything is created in it", DueText(survey.due, now)};
                 }},
      action);
  std::erase(notes, "");
  return Joined(notes);
}

/// Consecutive actions of one collection.
struct Group {
  std::vector<const Action*> actions;
  std::size_t key_columns = 0;
  std::size_t place_columns = 0;
  PlanCounts counts;
};

std::vector<Group> GroupsOf(const Plan& plan) {
  std::vector<Group> groups;
  const TokenKey* previous = nullptr;
  for (const Action& action : plan.actions) {
    const TokenKey& key = KeyOf(action);
    if (previous == nullptr || key.project != previous->project || key.collection != previous->collection) {
      groups.emplace_back();
    }
    previous = &key;
    Group& group = groups.back();
    group.actions.push_back(&action);
    group.key_columns = std::max(group.key_columns, std::min(key.Text().size(), kKeyColumnsMax));
    group.place_columns = std::max(group.place_columns, std::min(ColumnsOf(PlaceOf(action)), kKeyColumnsMax));
    CountAction(group.counts, action);
  }
  return groups;
}

/// "3 to create, 1 changed", zeros left out.
std::vector<std::string> WorkOf(const PlanCounts& counts) {
  std::vector<std::string> parts;
  const auto add = [&](std::size_t count, std::string_view what) {
    if (count > 0) parts.push_back(fmt::format("{} {}", count, what));
  };
  add(counts.survey, counts.survey == 1 ? "collection to list first" : "collections to list first");
  add(counts.create, "to create");
  add(counts.resolve, "to resolve");
  add(counts.changed, "changed (reported)");
  add(counts.removed, "removed (reported)");
  add(counts.settled, "settled");
  add(counts.withdrawn, "withdrawn");
  return parts;
}

/// Padded to `columns` without being cut.
std::string AtLeast(std::string text, std::size_t columns) {
  const std::size_t used = ColumnsOf(text);
  if (used < columns) text.append(columns - used, ' ');
  return text;
}

std::string ActionLine(const Action& action, const Group& group, TimePoint now, const Terminal& terminal) {
  const Look look = LookOf(action);
  const std::string note = NoteOf(action, now);
  std::string place = PlaceOf(action);
  if (!note.empty()) place = AtLeast(std::move(place), group.place_columns);
  return fmt::format("  {}  {}  {}{}\n",
                     Painted(terminal, look.ink, fmt::format("{} {:<{}}", look.symbol, look.verb, kVerbColumns)),
                     AtLeast(KeyOf(action).Text(), group.key_columns), place,
                     note.empty() ? "" : "  " + Painted(terminal, Ink::kDim, note));
}

JsonValue ActionJson(const Action& action) {
  JsonObject object{{"action", std::string(ActionName(action))}, {"key", KeyOf(action).Text()}};
  if (const Entry* entry = EntryOf(action)) {
    object["path"] = ValidUtf8(entry->manifest->path);
    object["line"] = JsonNumber(entry->line);
    object["digest"] = entry->digest.Hex();
  }
  const auto due = [&](TimePoint time) {
    if (time > TimePoint{}) object["due"] = FormatTime(time);
  };
  std::visit(Overloaded{[&](const Create& create) {
                          object["attempt"] = JsonNumber(create.attempt);
                          due(create.due);
                        },
                        [&](const Resolve& resolve) {
                          object["attempt"] = JsonNumber(resolve.attempt);
                          object["digest"] = resolve.digest.Hex();
                          object["reopen"] = resolve.reopen;
                          due(resolve.due);
                        },
                        [&](const Report& report) {
                          object["report"] = std::string(ReportName(report.kind));
                          if (report.recorded) object["recorded_digest"] = report.recorded->Hex();
                        },
                        [&](const SurveyCollection& survey) { due(survey.due); }},
             action);
  return object;
}

JsonValue ProblemJsonOf(const Problem& problem) {
  return JsonObject{{"path", ValidUtf8(problem.place.path)},
                    {"line", JsonNumber(problem.place.line)},
                    {"column", JsonNumber(problem.place.column)},
                    {"what", ValidUtf8(problem.what)},
                    {"advice", JsonText(problem.advice)}};
}

}  // namespace

std::string PlanText(const Plan& plan, TimePoint now, const Terminal& terminal, const PlanExtras& extras) {
  std::string text;
  const std::vector<Group> groups = GroupsOf(plan);
  for (const Group& group : groups) {
    if (groups.size() > 1) {
      const TokenKey& key = KeyOf(*group.actions.front());
      text += fmt::format("{}: {}\n",
                          Painted(terminal, Ink::kBold, fmt::format("{}/{}", key.project.value, key.collection.value)),
                          Joined(WorkOf(group.counts)));
    }
    for (const Action* action : group.actions) {
      text += ActionLine(*action, group, now, terminal);
      if (const auto diff = extras.diffs.find(KeyOf(*action)); diff != extras.diffs.end()) text += diff->second;
    }
    text += '\n';
  }
  if (!extras.problems.empty()) text += extras.problems + '\n';
  text += Painted(terminal, Ink::kBold, PlanSummaryLine(plan)) + '\n';
  return extras.hold.empty() ? text : text + Painted(terminal, Ink::kRed, "Held: ") + extras.hold;
}

std::string PlanSummaryLine(const Plan& plan) {
  const PlanCounts& counts = plan.counts;
  std::vector<std::string> work = WorkOf(counts);
  if (work.empty()) work.emplace_back("nothing to do");
  std::vector<std::string> rest{fmt::format("{} in sync", counts.in_sync)};
  const auto add = [&](std::size_t count, std::string_view what) {
    if (count > 0) rest.push_back(fmt::format("{} {}", count, what));
  };
  add(counts.drifting, counts.drifting == 1 ? "differs from git" : "differ from git");
  add(counts.rejected, "rejected");
  add(counts.conflicting, "in conflict");
  add(counts.held, "held by a manifest that cannot be read");
  std::string line = fmt::format("Plan: {}; {}.", Joined(work), Joined(rest));
  if (plan.desired && !plan.desired->problems.empty()) {
    line += fmt::format(" {} in manifests.", Counted(plan.desired->problems.size(), "problem", "problems"));
  }
  return line;
}

JsonValue PlanCountsJson(const PlanCounts& counts) {
  return JsonObject{{"create", JsonNumber(counts.create)},     {"resolve", JsonNumber(counts.resolve)},
                    {"changed", JsonNumber(counts.changed)},   {"removed", JsonNumber(counts.removed)},
                    {"settled", JsonNumber(counts.settled)},   {"withdrawn", JsonNumber(counts.withdrawn)},
                    {"in_sync", JsonNumber(counts.in_sync)},   {"drifting", JsonNumber(counts.drifting)},
                    {"rejected", JsonNumber(counts.rejected)}, {"conflicting", JsonNumber(counts.conflicting)},
                    {"held", JsonNumber(counts.held)},         {"survey", JsonNumber(counts.survey)}};
}

JsonValue RefusedHeadJson(const std::optional<RefusedHead>& refused) {
  if (!refused) return {};
  return JsonObject{{"commit", JsonText(refused->commit.hex)}, {"why", JsonText(refused->why)}};
}

JsonValue HeldPlanJson(const std::optional<HeldPlan>& held) {
  if (!held) return {};
  return JsonObject{{"fingerprint", JsonText(held->fingerprint)},
                    {"commit", JsonText(held->commit.hex)},
                    {"since", FormatTime(held->since)},
                    {"why", JsonText(held->why)},
                    {"approved", held->approved}};
}

JsonValue PlanJson(const Plan& plan, const std::optional<HeldPlan>& held) {
  JsonArray actions;
  actions.reserve(plan.actions.size());
  for (const Action& action : plan.actions) actions.push_back(ActionJson(action));
  JsonArray problems;
  JsonArray unreadable;
  JsonObject document;
  if (plan.desired) {
    for (const Problem& problem : plan.desired->problems) problems.push_back(ProblemJsonOf(problem));
    for (const std::string& path : plan.desired->unreadable) unreadable.emplace_back(ValidUtf8(path));
    document["commit"] = JsonText(plan.desired->commit.hex);
    document["manifests"] = JsonNumber(plan.desired->manifests);
  }
  document["actions"] = std::move(actions);
  document["counts"] = PlanCountsJson(plan.counts);
  document["problems"] = std::move(problems);
  document["unreadable"] = std::move(unreadable);
  document["calls_service"] = plan.CallsService();
  document["held"] = HeldPlanJson(held);
  return document;
}

}  // namespace tokensync
