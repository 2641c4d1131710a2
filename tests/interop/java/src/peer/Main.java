package peer;

/** How the programs end: with a status, whatever happens. The clients' threads would keep the process for ever. */
final class Main {
  interface Body {
    /** True: all is well. */
    boolean run() throws Exception;
  }

  private Main() {}

  static void exitAfter(Body body) {
    int status = 1;
    try {
      status = body.run() ? 0 : 1;
    } catch (Throwable e) {
      e.printStackTrace();
    }
    System.exit(status);
  }
}
