/// The stand-in's own endpoint for scripts, below /standin/. No credential: the service listens on loopback only.
///
///   GET  /standin/state                 counts, duplicates (PROJECT/COLLECTION/TOKENID), tokens, digest
///   GET  /standin/tokens                [{"projectId","collectionId","private","token"}], sorted; ?format=lines: one a
///                                       line; ?page=N&page_size=M: that part, pages from 0
///   POST /standin/tokens                stores one such object or a list of them as if created before
///   GET  /standin/requests              the last requests, bodies as text
///   POST /standin/faults                see standin_faults.h
///   POST /standin/release               lets held calls go on
///   POST /standin/cut                   ends all connections, this one too
///   POST /standin/reset                 forgets everything, faults included
///
/// Answers are JSON; an error is 400 or 404 with {"error": text}.
#pragma once

#include <string_view>

#include "delivery.h"
#include "standin_server.h"

namespace tokensync::standin {

bool IsControlPath(std::string_view path);
Reply AnswerControl(StandinServer& server, const Request& request);

}  // namespace tokensync::standin
