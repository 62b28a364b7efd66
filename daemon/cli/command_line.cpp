#include "command_line.h"

#include <fmt/format.h>

#include <CLI/CLI.hpp>
#include <algorithm>
#include <cctype>
#include <charconv>
#include <functional>
#include <map>
#include <memory>
#include <utility>

#include "approval.h"
#include "command_help.h"
#include "text.h"
#include "time_text.h"

namespace tokensync {

namespace {

constexpr int kUsageStatus = 64;
constexpr const char* kDefaultConfig = "/etc/tokensyncd/tokensyncd.yaml";
constexpr std::size_t kQuotedMax = 80;

/// A value that a command does not take; becomes a usage error.
[[noreturn]] void RefuseValue(std::string_view option, std::string_view value, std::string_view wanted) {
  throw CLI::ValidationError(std::string(option),
                             fmt::format("'{}' is not {}", PrintableText(value, kQuotedMax), wanted));
}

/// What the options write to. Texts stay texts here: their meaning is checked in one place below.
struct Words {
  std::string config = kDefaultConfig;
  std::string revision;
  std::vector<std::string> paths;
  std::string format = "text";
  std::string token;
  std::string commit;
  std::string since;
  std::string limit;
  std::string file;
  std::string fingerprint;
  bool json = false;
  bool diff = false;
  bool wait = false;
};

/// The words behind the program's name, last one first, as the library takes them. It forgets a "--" once the first
/// PATH was there, and takes a word in brackets for a list: both are written so that they can only be paths, which they
/// are.
std::vector<std::string> ReversedWords(int argc, const char* const* argv) {
  std::vector<std::string> words;
  bool options = true;
  for (int at = 1; at < argc; ++at) {
    const std::string_view word = argv[at];
    if (options && word == "--") {
      options = false;
      continue;
    }
    const bool is_path = word.starts_with('[') || (!options && word.starts_with('-'));
    words.push_back(fmt::format("{}{}", is_path ? "./" : "", word));
  }
  std::ranges::reverse(words);
  return words;
}

bool IsHex(std::string_view text) {
  return text.find_first_not_of("0123456789abcdef") == std::string_view::npos;
}

HistoryCommand MakeHistory(const Words& words, TimePoint now) {
  HistoryCommand command{.config = words.config, .json = words.json};
  if (!words.token.empty()) {
    command.token = TokenKey::Parse(words.token);
    if (!command.token) RefuseValue("--token", words.token, "PROJECT/COLLECTION/TOKENID, such as 30957/888/200");
  }
  if (!words.commit.empty()) {
    std::string commit = words.commit;
    std::ranges::transform(commit, commit.begin(), [](unsigned char c) { return static_cast<char>(std::tolower(c)); });
    if (commit.size() < 4 || commit.size() > 40 || !IsHex(commit)) {
      RefuseValue("--commit", words.commit, "a commit's id or the beginning of one (4 to 40 hexadecimal digits)");
    }
    command.commit = std::move(commit);
  }
  if (!words.since.empty()) {
    command.since = ParseTime(words.since, now);
    if (!command.since) RefuseValue("--since", words.since, kTimeForms);
  }
  if (!words.limit.empty()) {
    std::uint64_t limit = 0;
    const char* end = words.limit.data() + words.limit.size();
    const auto [stopped, error] = std::from_chars(words.limit.data(), end, limit);
    if (error != std::errc() || stopped != end || limit == 0 || limit > kSafeIntegerMax) {
      RefuseValue("--limit", words.limit, "a number from 1");
    }
    command.limit = limit;
  }
  return command;
}

ValidateCommand MakeValidate(const Words& words) {
  ValidateCommand command{.paths = {words.paths.begin(), words.paths.end()}};
  static const std::map<std::string, ValidateFormat, std::less<>> kFormats = {
      {"text", ValidateFormat::kText}, {"json", ValidateFormat::kJson}, {"github", ValidateFormat::kGithub}};
  const auto format = kFormats.find(words.format);
  if (format == kFormats.end()) RefuseValue("--format", words.format, "text, json or github");
  command.format = format->second;
  if (std::ranges::any_of(words.paths, &std::string::empty)) RefuseValue("PATH", "", "a path");
  return command;
}

ApproveCommand MakeApprove(const Words& words) {
  if (words.fingerprint.size() < kFingerprintMin || words.fingerprint.size() > 64 || !IsHex(words.fingerprint)) {
    RefuseValue("FINGERPRINT", words.fingerprint,
                "the fingerprint of a plan or the beginning of one (8 to 64 lower-case hexadecimal digits)");
  }
  return {.config = words.config, .fingerprint = words.fingerprint, .wait = words.wait};
}

BackupCommand MakeBackup(const Words& words) {
  if (words.file.empty()) RefuseValue("FILE", "", "a path");
  return {.config = words.config, .file = words.file, .json = words.json};
}

/// Help in the order in which people read: what it is for, how it is called, what it takes.
class HelpFormatter : public CLI::Formatter {
 public:
  HelpFormatter(std::string about, std::string usage) : about_(std::move(about)), usage_(std::move(usage)) {
    column_width(26);
    label("Positionals", "Arguments");
  }

  std::string make_description(const CLI::App*) const override { return about_ + "\n\n"; }
  std::string make_usage(const CLI::App*, std::string) const override { return "Usage: " + usage_ + "\n"; }

 private:
  std::string about_;
  std::string usage_;
};

/// The program with its commands, over words that they fill in.
class Grammar {
 public:
  Grammar() : app_(kProgramSummary, "tokensyncd") {
    app_.footer(kProgramFooter);
    // One at most; that there is none is told below, after what else is wrong.
    app_.require_subcommand(0, 1);
    Decorate(app_, kProgramSummary, "tokensyncd [OPTIONS] COMMAND [OPTIONS]");
    AddConfig(app_);
    AddCommands();
  }

  /// Throws CLI::Error for everything that is not a command to be carried out.
  Command Parse(int argc, const char* const* argv, TimePoint now) {
    app_.parse(ReversedWords(argc, argv));
    if (app_.get_subcommands().empty()) throw CLI::RequiredError("A command");
    return makers_.at(app_.get_subcommands().front())(now);
  }

  std::string Help() const { return app_.help(); }

  /// The command that the line named before it went wrong.
  std::string CommandName() const {
    const std::vector<CLI::App*> named = app_.get_subcommands();
    return named.empty() ? "" : named.front()->get_name();
  }

 private:
  using Maker = std::function<Command(TimePoint)>;

  /// What the program and each command have.
  static void Decorate(CLI::App& app, std::string about, std::string usage) {
    app.set_help_flag("--help,-h", "Print this help and exit");
    app.set_version_flag("--version", "tokensyncd " TOKENSYNC_VERSION, "Print the version and exit");
    app.formatter(std::make_shared<HelpFormatter>(std::move(about), std::move(usage)));
  }

  /// An option with a value, which cannot be empty: an unset variable of a script is not "no option".
  static void AddOption(CLI::App& app, const char* name, std::string& word, const char* value, std::string about) {
    const CLI::Validator not_empty([](const std::string& text) { return text.empty() ? "a value is wanted" : ""; }, "");
    app.add_option(name, word, std::move(about))->option_text(value)->check(not_empty);
  }

  static void AddFlag(CLI::App& app, const char* name, bool& word, std::string about) {
    app.add_flag(name, word, std::move(about))->disable_flag_override();
  }

  void AddConfig(CLI::App& app) {
    AddOption(app, "--config", words_.config, "FILE", fmt::format("The configuration (default: {})", kDefaultConfig));
  }

  CLI::App& Add(const CommandHelp& help, std::string_view usage, bool has_config, Maker maker) {
    CLI::App* command = app_.add_subcommand(help.name, help.summary);
    Decorate(*command, fmt::format("{}.\n\n{}", help.summary, help.details),
             fmt::format("tokensyncd {}{}", help.name, usage));
    command->group("Commands");
    command->footer(help.footer);
    if (has_config) AddConfig(*command);
    makers_.emplace(command, std::move(maker));
    return *command;
  }

  void AddRevision(CLI::App& app) {
    AddOption(app, "--revision", words_.revision, "REV", "The commit to read instead of the branch's head");
  }

  std::optional<std::string> Revision() const {
    return words_.revision.empty() ? std::nullopt : std::optional(words_.revision);
  }

  void AddCommands() {
    Add(kRunHelp, " [OPTIONS]", true, [this](TimePoint) { return RunCommand{.config = words_.config}; });

    AddRevision(Add(kSyncHelp, " [OPTIONS]", true,
                    [this](TimePoint) { return SyncCommand{.config = words_.config, .revision = Revision()}; }));

    CLI::App& plan = Add(kPlanHelp, " [OPTIONS]", true, [this](TimePoint) {
      return PlanCommand{.config = words_.config, .revision = Revision(), .json = words_.json, .diff = words_.diff};
    });
    AddRevision(plan);
    AddFlag(plan, "--diff", words_.diff, "Show field by field what changed");
    AddFlag(plan, "--json", words_.json, "Print the plan as one JSON document");

    CLI::App& validate =
        Add(kValidateHelp, " [OPTIONS] PATH...", false, [this](TimePoint) { return MakeValidate(words_); });
    validate.add_option("PATH", words_.paths, "Folders and files to check")->required()->option_text("...");
    AddOption(validate, "--format", words_.format, "FORMAT",
              "text (default), json, or github for a workflow's annotations");

    CLI::App& status = Add(kStatusHelp, " [OPTIONS]", true,
                           [this](TimePoint) { return StatusCommand{.config = words_.config, .json = words_.json}; });
    AddFlag(status, "--json", words_.json, "Print one JSON document");

    CLI::App& history =
        Add(kHistoryHelp, " [OPTIONS]", true, [this](TimePoint now) { return MakeHistory(words_, now); });
    AddOption(history, "--token", words_.token, "KEY", "Only of the token PROJECT/COLLECTION/TOKENID");
    AddOption(history, "--commit", words_.commit, "SHA", "Only of what this commit brought; its first digits do");
    AddOption(history, "--since", words_.since, "TIME", "Only from then on: 2h, 3d, 2026-11-24, 2026-11-24T06:42:44Z");
    AddOption(history, "--limit", words_.limit, "N", "Only the newest N records");
    AddFlag(history, "--json", words_.json, "Print one JSON object a line");

    CLI::App& audit = Add(kAuditHelp, " [OPTIONS]", true,
                          [this](TimePoint) { return AuditCommand{.config = words_.config, .json = words_.json}; });
    AddFlag(audit, "--json", words_.json, "Print one JSON document");

    CLI::App& trigger = Add(kTriggerHelp, " [OPTIONS]", true,
                            [this](TimePoint) { return TriggerCommand{.config = words_.config, .wait = words_.wait}; });
    AddFlag(trigger, "--wait", words_.wait, "Return when that pass has ended");

    CLI::App& approve =
        Add(kApproveHelp, " [OPTIONS] FINGERPRINT", true, [this](TimePoint) { return MakeApprove(words_); });
    approve
        .add_option("FINGERPRINT", words_.fingerprint,
                    "Of the plan, as status and the log tell it; its first digits do")
        ->required()
        ->option_text("...");
    AddFlag(approve, "--wait", words_.wait, "Return when the pass that carries it out has ended");

    CLI::App& backup = Add(kBackupHelp, " [OPTIONS] FILE", true, [this](TimePoint) { return MakeBackup(words_); });
    backup.add_option("FILE", words_.file, "The copy to make")->required()->option_text("...");
    AddFlag(backup, "--json", words_.json, "Print one JSON document");
  }

  Words words_;
  CLI::App app_;
  std::map<const CLI::App*, Maker> makers_;
};

EndNow UsageError(const Grammar& grammar, const CLI::Error& error) {
  const std::string command = grammar.CommandName();
  return {.status = kUsageStatus,
          .text = fmt::format("tokensyncd: {}\nTry 'tokensyncd {}{}--help'.\n", PrintableText(error.what(), 500),
                              command, command.empty() ? "" : " ")};
}

}  // namespace

std::variant<Command, EndNow> ParseCommandLine(int argc, const char* const* argv, TimePoint now) {
  Grammar grammar;
  try {
    return grammar.Parse(argc, argv, now);
  } catch (const CLI::CallForHelp&) {
    return EndNow{.status = 0, .text = grammar.Help()};
  } catch (const CLI::CallForVersion& version) {
    return EndNow{.status = 0, .text = std::string(version.what()) + "\n"};
  } catch (const CLI::Error& error) {
    return UsageError(grammar, error);
  }
}

}  // namespace tokensync
