"""The outside world for local runs: payment gateway, cloud APIs, mail server and bank, on the loopback address."""
