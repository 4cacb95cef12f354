from breachdesk.embedded.demo import main

raise SystemExit(main())
