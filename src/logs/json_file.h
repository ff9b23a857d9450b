// Docker's json-file log: one JSON object a line,
// `{"log":"text\n","stream":"stdout","time":"..."}`, a long line of the container in pieces of 16
// KiB of which only the last ends in a newline. Decoding gives back the bytes that the container
// wrote, each stream apart; the pieces join by themselves.
#pragma once

#include <string>
#include <string_view>

namespace hive::logs {

// Appends the text of each whole line of `data` to `out` or `err` and returns how many bytes of
// `data` that was. A line that is no such object (a write that was cut short) is appended to `out`
// as it is: nothing is left out.
std::size_t decode_json_file(std::string_view data, std::string& out, std::string& err);

}  // namespace hive::logs
