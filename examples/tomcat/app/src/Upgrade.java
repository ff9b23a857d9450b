package hive.example;

import jakarta.servlet.ReadListener;
import jakarta.servlet.ServletInputStream;
import jakarta.servlet.ServletOutputStream;
import jakarta.servlet.http.HttpUpgradeHandler;
import jakarta.servlet.http.WebConnection;
import java.io.IOException;

/** A connection that became something else than HTTP, as a WebSocket does: what comes goes back. */
public final class Upgrade implements HttpUpgradeHandler, ReadListener {
  private final byte[] block = new byte[4096];
  private WebConnection connection;
  private ServletInputStream in;
  private ServletOutputStream out;

  @Override
  public void init(WebConnection upgraded) {
    connection = upgraded;
    try {
      in = upgraded.getInputStream();
      out = upgraded.getOutputStream();
      in.setReadListener(this);
    } catch (IOException e) {
      destroy();
    }
  }

  @Override
  public void onDataAvailable() throws IOException {
    while (in.isReady()) {
      int count = in.read(block);
      if (count < 0) {
        destroy();
        return;
      }
      out.write(block, 0, count);
    }
    out.flush();
  }

  @Override
  public void onAllDataRead() {
    destroy();
  }

  @Override
  public void onError(Throwable error) {
    destroy();
  }

  @Override
  public void destroy() {
    try {
      connection.close();
    } catch (Exception e) {
      // it has ended already
    }
  }
}
