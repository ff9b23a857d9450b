#include "init/pid1/text.h"

#include "init/pid1/kernel.h"

namespace hive::init {
namespace {

struct Words {
  int number;
  const char* text;
};
// Those that starting a program can end with.
constexpr Words kErrors[] = {{kernel::kEperm, "Operation not permitted"},
                             {kernel::kEnoent, "No such file or directory"},
                             {kernel::kE2big, "Argument list too long"},
                             {kernel::kEnoexec, "Exec format error"},
                             {kernel::kEagain, "Resource temporarily unavailable"},
                             {kernel::kEnomem, "Cannot allocate memory"},
                             {kernel::kEacces, "Permission denied"},
                             {kernel::kEnotdir, "Not a directory"},
                             {kernel::kEisdir, "Is a directory"},
                             {kernel::kEinval, "Invalid argument"},
                             {kernel::kEtxtbsy, "Text file busy"},
                             {kernel::kEnametoolong, "File name too long"},
                             {kernel::kEloop, "Too many levels of symbolic links"}};

constexpr const char* kLevels[] = {"FATAL", "WARN ", "INFO ", "DEBUG"};

}  // namespace

size_t length(const char* text) {
  size_t size = 0;
  while (text[size] != '\0') ++size;
  return size;
}

bool starts_with(const char* text, const char* start) {
  while (*start != '\0')
    if (*text++ != *start++) return false;
  return true;
}

bool equal(const char* a, const char* b) { return starts_with(a, b) && length(a) == length(b); }

const char* variable(char* const* environment, const char* name) {
  const size_t size = length(name);
  for (; *environment != nullptr; ++environment)
    if (starts_with(*environment, name) && (*environment)[size] == '=')
      return *environment + size + 1;
  return nullptr;
}

Message::Message(Level level) : level_(level) {
  *this << "[" << kLevels[level] << " hive-init (" << kernel::getpid() << ")] ";
}

Message& Message::operator<<(const char* text) {
  while (*text != '\0' && size_ < sizeof text_ - 1) text_[size_++] = *text++;
  return *this;
}

Message& Message::operator<<(int number) {
  char digits[12];
  size_t at = sizeof digits;
  digits[--at] = '\0';
  unsigned rest = number < 0 ? 0U - static_cast<unsigned>(number) : static_cast<unsigned>(number);
  do digits[--at] = static_cast<char>('0' + rest % 10);
  while ((rest /= 10) != 0);
  if (number < 0) digits[--at] = '-';
  return *this << (digits + at);
}

Message& Message::error(int number) {
  for (const auto& words : kErrors)
    if (words.number == number) return *this << words.text;
  return *this << "error " << number;
}

void Message::send() {
  text_[size_++] = '\n';
  kernel::write(level_ <= kWarning ? 2 : 1, text_, size_);
}

}  // namespace hive::init
