package hive.example;

import java.io.BufferedWriter;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.nio.file.StandardOpenOption;
import java.time.Instant;

/** The application log: one line a request, written and flushed before the answer is sent. */
final class Log {
  private static BufferedWriter writer;

  static synchronized void open() throws IOException {
    Path file = Path.of(System.getProperty("catalina.base"), "logs", "application.log");
    writer = Files.newBufferedWriter(file, StandardOpenOption.CREATE, StandardOpenOption.APPEND);
  }

  static synchronized void line(String method, String path, String id) throws IOException {
    writer.write(Instant.now() + " " + method + " " + path + " id=" + clean(id) + "\n");
    writer.flush();
  }

  /** One request, one line: control characters of a parameter must not make another. */
  private static String clean(String id) {
    if (id == null) return "-";
    String cut = id.length() > 200 ? id.substring(0, 200) : id;
    return cut.replaceAll("[\\p{Cntrl} ]", "_");
  }

  private Log() {}
}
