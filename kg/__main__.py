from kg.serving.cli import main

main()
