package hive.example;

import jakarta.servlet.ServletException;
import jakarta.servlet.http.HttpServlet;
import jakarta.servlet.http.HttpServletRequest;
import jakarta.servlet.http.HttpServletResponse;
import java.io.IOException;
import java.io.InputStream;
import java.io.OutputStream;
import java.net.InetAddress;
import java.net.URLDecoder;
import java.nio.charset.StandardCharsets;
import java.util.concurrent.atomic.AtomicLong;

/** A small application to put behind a load balancer: who answered, slow pages, uploads, downloads. */
public final class App extends HttpServlet {
  private static final long MAX_SLOW_MS = 60_000;
  private static final long MAX_DOWNLOAD_KIB = 1L << 20;
  private static final long MAX_ECHO_BYTES = 16L << 20;
  private final AtomicLong requests = new AtomicLong();
  private String host;
  private String version;

  @Override
  public void init() throws ServletException {
    try {
      host = InetAddress.getLocalHost().getHostName();
      version = System.getProperty("app.version", "unknown");
      Log.open();
    } catch (IOException e) {
      throw new ServletException(e);
    }
  }

  @Override
  protected void service(HttpServletRequest request, HttpServletResponse response)
      throws IOException, ServletException {
    String path = request.getRequestURI();
    if (path.equals("/health")) {
      text(response, 200, "ok\n");
      return;
    }
    long count = requests.incrementAndGet();
    Log.line(request.getMethod(), path, query(request, "id"));
    boolean get = request.getMethod().equals("GET") || request.getMethod().equals("HEAD");
    switch (path) {
      case "/" -> {
        if (get) text(response, 200, host + " version " + version + " requests " + count + "\n");
        else refuse(response, "GET");
      }
      case "/slow" -> slow(request, response, get);
      case "/download" -> download(request, response, get);
      case "/echo" -> {
        if (request.getMethod().equals("POST")) echo(request, response);
        else refuse(response, "POST");
      }
      case "/upgrade" -> {
        if (request.getHeader("Upgrade") == null) {
          text(response, 426, "a request with Upgrade: is wanted here\n");
        } else {
          response.setHeader("Upgrade", request.getHeader("Upgrade"));
          response.setHeader("Connection", "Upgrade");
          request.upgrade(Upgrade.class);
        }
      }
      default -> text(response, 404, "no page " + path + "\n");
    }
  }

  private void slow(HttpServletRequest request, HttpServletResponse response, boolean get)
      throws IOException {
    if (!get) { refuse(response, "GET"); return; }
    Long millis = number(request, response, "ms", 1000, MAX_SLOW_MS);
    if (millis == null) return;
    try {
      Thread.sleep(millis);
    } catch (InterruptedException e) {
      Thread.currentThread().interrupt();
      text(response, 503, "interrupted\n");
      return;
    }
    text(response, 200, host + " slept " + millis + " ms\n");
  }

  private void download(HttpServletRequest request, HttpServletResponse response, boolean get)
      throws IOException {
    if (!get) { refuse(response, "GET"); return; }
    Long kib = number(request, response, "kib", 1024, MAX_DOWNLOAD_KIB);
    if (kib == null) return;
    response.setContentType("application/octet-stream");
    response.setContentLengthLong(kib * 1024);
    byte[] block = new byte[1024];
    java.util.Arrays.fill(block, (byte) 'x');
    OutputStream out = response.getOutputStream();
    for (long i = 0; i < kib; i++) out.write(block);
  }

  private void echo(HttpServletRequest request, HttpServletResponse response) throws IOException {
    if (request.getContentLengthLong() > MAX_ECHO_BYTES) {
      text(response, 413, "at most " + MAX_ECHO_BYTES + " bytes\n");
      return;
    }
    byte[] body;
    try (InputStream in = request.getInputStream()) {
      body = in.readNBytes((int) MAX_ECHO_BYTES + 1);
    }
    if (body.length > MAX_ECHO_BYTES) {
      text(response, 413, "at most " + MAX_ECHO_BYTES + " bytes\n");
      return;
    }
    String type = request.getContentType();
    response.setContentType(type == null ? "application/octet-stream" : type);
    response.setContentLength(body.length);
    response.getOutputStream().write(body);
  }

  private static Long number(
      HttpServletRequest request, HttpServletResponse response, String name, long fallback,
      long max) throws IOException {
    String given = query(request, name);
    if (given == null) return fallback;
    try {
      long value = Long.parseLong(given);
      if (value >= 0 && value <= max) return value;
    } catch (NumberFormatException e) {
      // answered below
    }
    text(response, 400, name + " must be a whole number from 0 to " + max + "\n");
    return null;
  }

  /** A parameter of the query alone: getParameter() would read a form's body, which /echo returns. */
  private static String query(HttpServletRequest request, String name) {
    String query = request.getQueryString();
    if (query == null) return null;
    for (String pair : query.split("&")) {
      int equals = pair.indexOf('=');
      if (equals < 0 || !pair.substring(0, equals).equals(name)) continue;
      try {
        return URLDecoder.decode(pair.substring(equals + 1), StandardCharsets.UTF_8);
      } catch (IllegalArgumentException e) {
        return pair.substring(equals + 1);
      }
    }
    return null;
  }

  private static void refuse(HttpServletResponse response, String allowed) throws IOException {
    response.setHeader("Allow", allowed);
    text(response, 405, "only " + allowed + " here\n");
  }

  private static void text(HttpServletResponse response, int status, String body)
      throws IOException {
    response.setStatus(status);
    response.setContentType("text/plain;charset=utf-8");
    response.getWriter().write(body);
  }
}
