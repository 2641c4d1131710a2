package peer;

import java.io.IOException;
import java.nio.channels.SocketChannel;
import org.apache.rocketmq.store.DefaultMessageStore;
import org.apache.rocketmq.store.ha.DefaultHAConnection;
import org.apache.rocketmq.store.ha.DefaultHAService;
import org.apache.rocketmq.store.ha.HAConnection;

/** The broker's HA service without its listening socket, which would bind every address of the machine. */
public class QuietHAService extends DefaultHAService {
  @Override
  public void init(DefaultMessageStore store) throws IOException {
    super.init(store);
    acceptSocketService = new AcceptSocketService(store.getMessageStoreConfig()) {
      @Override
      public void beginAccept() {}

      @Override
      public void run() {}

      @Override
      public void shutdown(boolean interrupt) {}

      @Override
      protected HAConnection createConnection(SocketChannel channel) throws IOException {
        return new DefaultHAConnection(QuietHAService.this, channel);
      }

      @Override
      public String getServiceName() {
        return "QuietAcceptSocketService";
      }
    };
  }
}
