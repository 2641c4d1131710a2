package peer;

import java.nio.charset.StandardCharsets;
import java.util.Arrays;
import org.apache.rocketmq.client.producer.DefaultMQProducer;
import org.apache.rocketmq.client.producer.SendStatus;
import org.apache.rocketmq.common.message.Message;

/**
 * Messages that are to be delivered later, through the official client.
 *
 * <pre>
 * Later NAMESRV TOPIC NAME WHEN...   one message each: `level:N`, `at:MS since 1970`, `in:MS`; its body is `NAME-number WHEN`
 * </pre>
 */
public final class Later {
  public static void main(String[] args) {
    Main.exitAfter(() -> {
      send(args[0], args[1], args[2], Arrays.copyOfRange(args, 3, args.length));
      return true;
    });
  }

  private static void send(String namesrv, String topic, String name, String[] when) throws Exception {
    DefaultMQProducer producer = new DefaultMQProducer("peer_later");
    producer.setNamesrvAddr(namesrv);
    producer.setSendMsgTimeout(10000);
    producer.start();
    for (int i = 0; i < when.length; i++) {
      byte[] body = (name + "-" + i + " " + when[i]).getBytes(StandardCharsets.UTF_8);
      Message message = new Message(topic, "later", name + i, body);
      long number = Long.parseLong(when[i].substring(when[i].indexOf(':') + 1));
      if (when[i].startsWith("level:")) {
        message.setDelayTimeLevel((int) number);
      } else if (when[i].startsWith("at:")) {
        message.setDeliverTimeMs(number);
      } else {
        message.setDelayTimeMs(number);
      }
      if (producer.send(message).getSendStatus() != SendStatus.SEND_OK) {
        throw new IllegalStateException(when[i] + " was not stored");
      }
    }
    producer.shutdown();
  }
}
