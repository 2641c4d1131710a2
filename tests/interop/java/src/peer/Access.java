package peer;

import java.util.UUID;
import java.util.concurrent.Callable;
import org.apache.rocketmq.acl.common.AclClientRPCHook;
import org.apache.rocketmq.acl.common.SessionCredentials;
import org.apache.rocketmq.client.consumer.DefaultMQPullConsumer;
import org.apache.rocketmq.client.exception.MQBrokerException;
import org.apache.rocketmq.client.exception.MQClientException;
import org.apache.rocketmq.client.producer.DefaultMQProducer;
import org.apache.rocketmq.common.message.Message;
import org.apache.rocketmq.common.message.MessageQueue;
import org.apache.rocketmq.remoting.RPCHook;

/**
 * What users may do, asked by the official client.
 *
 * <pre>
 * Access NAMESRV   prints one line for each thing that each user tries: "did" or the broker's code and words
 * </pre>
 */
@SuppressWarnings("deprecation")
public final class Access {
  private static final String[][] USERS = {
    {"", ""}, {"writer", "writer-secret"}, {"writer", "wrong"}, {"stranger", "secret"}, {"off", "off-secret"},
    {"reader", "reader-secret"}, {"boss", "boss-secret"}, {"root", "root-secret"},
  };
  private static final String[] TOPICS = {"AccOpen", "AccPreOne", "AccPreNot", "AccFar", "AccOther"};
  private static final String[] GROUPS = {"AccGroup1", "AccOtherGroup"};

  private static void tell(String who, String what, Callable<?> action) {
    String outcome;
    try {
      Object result = action.call();
      outcome = result == null ? "did" : "did: " + result;
    } catch (Exception e) {
      outcome = "failed: " + e;
      for (Throwable cause = e; cause != null; cause = cause.getCause()) {
        if (cause instanceof MQBrokerException) {
          outcome = ((MQBrokerException) cause).getResponseCode() + " " + ((MQBrokerException) cause).getErrorMessage();
        } else if (cause instanceof MQClientException && ((MQClientException) cause).getResponseCode() > 0) {
          outcome = ((MQClientException) cause).getResponseCode() + " " + ((MQClientException) cause).getErrorMessage();
        }
      }
    }
    System.out.println("> " + who + " " + what + ": " + outcome);
  }

  public static void main(String[] args) {
    Main.exitAfter(() -> {
      askAll(args[0]);
      return true;
    });
  }

  private static void askAll(String namesrv) throws Exception {
    for (String[] user : USERS) {
      String who = user[0].isEmpty() ? "nobody" : user[0] + "/" + user[1];
      RPCHook hook = user[0].isEmpty() ? null : new AclClientRPCHook(new SessionCredentials(user[0], user[1]));
      String instance = UUID.randomUUID().toString();
      DefaultMQProducer producer = new DefaultMQProducer("AccProducer", hook);
      producer.setNamesrvAddr(namesrv);
      producer.setInstanceName(instance);
      producer.setRetryTimesWhenSendFailed(0);
      producer.setSendMsgTimeout(20000);
      producer.start();
      for (String topic : TOPICS) {
        tell(who, "sends to " + topic, () -> producer.send(new Message(topic, "body".getBytes())).getSendStatus());
      }
      for (String group : GROUPS) {
        DefaultMQPullConsumer consumer = new DefaultMQPullConsumer(group, hook);
        consumer.setNamesrvAddr(namesrv);
        consumer.setInstanceName(instance);
        consumer.start();
        for (String topic : new String[] {"AccOpen", "AccOther"}) {
          MessageQueue queue = new MessageQueue(topic, "broker-a", 0);
          tell(who, "pulls " + topic + " as " + group, () -> consumer.pull(queue, "*", 0, 1, 20000).getPullStatus() == null ? "nothing" : null);
          tell(who, "asks where " + group + " is in " + topic, () -> consumer.fetchConsumeOffset(queue, true) >= -1 ? null : "strange");
        }
        tell(who, "asks for the end of AccOpen", () -> consumer.maxOffset(new MessageQueue("AccOpen", "broker-a", 0)) >= 0 ? null : "strange");
        consumer.shutdown();
      }
      tell(who, "makes AccMade", () -> {
        producer.createTopic("TBW102", "AccMade", 4, null);
        return null;
      });
      producer.shutdown();
    }
  }
}
