from gateway.policy.cel.evaluator import evaluate


def generate(node):
    return lambda a: evaluate(node, a)
