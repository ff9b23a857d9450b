// Text without a library, and messages: put together in a fixed buffer and written at once, so that
// lines of several processes do not mix.
#pragma once

#include <stddef.h>

namespace hive::init {

size_t length(const char* text);
bool equal(const char* a, const char* b);
bool starts_with(const char* text, const char* start);
// What follows NAME= in the environment; null when it is not there.
const char* variable(char* const* environment, const char* name);

enum Level : int { kFatal = 0, kWarning = 1, kInfo = 2, kDebug = 3 };

// One line, such as "[FATAL hive-init (1)] exec foo failed: No such file or directory". A part that
// does not fit is cut. Warnings and worse go to standard error, the rest to standard output, as
// tini's do.
class Message {
 public:
  explicit Message(Level level);
  Message& operator<<(const char* text);
  Message& operator<<(int number);
  // The words for an errno.
  Message& error(int number);
  void send();

 private:
  Level level_;
  size_t size_ = 0;
  char text_[512];
};

}  // namespace hive::init
