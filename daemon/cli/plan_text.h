/// A plan as people and scripts read it.
#pragma once

#include <map>
#include <optional>
#include <string>

#include "json.h"
#include "planner.h"
#include "ports.h"
#include "terminal.h"

namespace tokensync {

/// What a plan does not hold itself. All of it is printable text already, each ending in a newline where not empty.
struct PlanExtras {
  std::string problems{};                   ///< of manifests; shown after the actions
  std::map<TokenKey, std::string> diffs{};  ///< DiffText by key; shown below the key's line
  std::string hold{};                       ///< why the plan has to wait; shown last
};

/// All actions, aligned and by collection, then the problems, then one line of counts. Ends in a newline.
std::string PlanText(const Plan& plan, TimePoint now, const Terminal& terminal, const PlanExtras& extras = {});

/// "Plan: 3 to create, 1 to resolve, 2 changed (reported); 120 in sync.", without a newline.
std::string PlanSummaryLine(const Plan& plan);

/// The plan as one JSON document: commit, actions, counts, problems; `held`: why it has to wait, or null.
JsonValue PlanJson(const Plan& plan, const std::optional<HeldPlan>& held = std::nullopt);

/// {"commit":…,"why":…}, or null.
JsonValue RefusedHeadJson(const std::optional<RefusedHead>& refused);

/// {"fingerprint":…,"commit":…,"since":…,"why":…,"approved":…}, or null.
JsonValue HeldPlanJson(const std::optional<HeldPlan>& held);

JsonValue PlanCountsJson(const PlanCounts& counts);

/// Field by field what makes `new_payload` another token than `old_payload`: nested maps by path
/// ("properties.element"), everything else as a whole. Ends in a newline; empty where they are equal.
std::string DiffText(const JsonValue& old_payload, const JsonValue& new_payload, const Terminal& terminal);

}  // namespace tokensync
