from mintery.cli.run import main

main()
