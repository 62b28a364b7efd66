/// Where the documents of a YAML stream begin and end. yaml-cpp is given one of them at a time: asked for all at once
/// it never ends on a text as short as `,`.
#pragma once

#include <cstddef>
#include <vector>

#include "source_text.h"

namespace tokensync {

/// One document's part of the text: from its `---`, or its first line of content, to the line that ends it.
struct DocumentSpan {
  std::size_t begin = 0;
  std::size_t end = 0;
  std::size_t content = 0;  ///< offset after the `---`, or `begin` where there is none
};

/// The documents of the text, in order. What stands between documents is checked here: comments, `...` and `%YAML 1.2`
/// are taken, other directives are problems. At most `documents_max` are given; more are a problem.
std::vector<DocumentSpan> SplitDocuments(const SourceText& source, std::size_t documents_max, ProblemList& problems);

}  // namespace tokensync
